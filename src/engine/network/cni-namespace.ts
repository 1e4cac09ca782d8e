import { join } from "node:path";
import type { EnginePaths } from "../paths.ts";

/** Directory of the network namespace of a container on CNI networks: its file is `net` in there. */
export const cniNamespace = (paths: EnginePaths, id: string): string => join(paths.state, "..", "netns", id);
