import { posix } from "node:path";
import type { ContainerOptions } from "#engine";
import { absolutePath, plainText, refuse } from "./check.ts";

/**
 * Where a container's log is; none without a path.
 *
 * @param directory the pod's
 * @throws SampanError `invalid-argument` for a path that leads out of the directory
 */
export function logOptions(directory: string, path: string): Pick<ContainerOptions, "logPath" | "logDriver"> {
  if (path === "" || directory === "") return { logDriver: "none" };
  absolutePath("sandbox_config.log_directory", directory);
  plainText("config.log_path", path);
  if (path.split("/").includes("..")) refuse("config.log_path", path, "it leads out of the pod's log_directory");
  const whole = posix.join(directory, path);
  if (whole.endsWith("/")) refuse("config.log_path", path, "it is a directory");
  if (Buffer.byteLength(whole) > 4095) refuse("config.log_path", path, "it is too long");
  return { logPath: whole };
}
