/** Makes all of the tests' images that are missing, before the tests' own time limits count. */
import { makeGroup } from "./images.ts";

await makeGroup("busybox");
await makeGroup("debian");
