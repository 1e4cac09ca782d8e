/** Where the tests find the checkout that they test. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Absolute path of the checkout, without a slash at its end. */
export const checkout: string = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** The Node that the checkout pins. */
export const pinnedNode: string = join(checkout, "node_modules", ".bin", "node");
