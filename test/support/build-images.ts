/** Makes the tests' images and the virtual machine where they are missing, before the tests' own time limits count. */
import { makeGroup } from "./images.ts";
import { machine } from "./vm-machine.ts";

await makeGroup("busybox");
await makeGroup("debian");
if (process.arch === "x64") await machine();
