/** The entry of `sampan-oci`. */
import { enableCompileCache } from "node:module";

// Before anything else is loaded: compiled code is kept beside the bundle. Where that can't be written, nothing is kept.
enableCompileCache(new URL("../build/compile-cache", import.meta.url).pathname);

const { main } = await import("./program.ts");
await main(process.argv.slice(2));
