/** How a container of the OCI runtime is, from its state directory and /proc. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isFrozen, processIsAlive } from "#host";
import type { OciRecord } from "./record.ts";

/** runtime-spec runtime.md#state; `paused` is runc's. */
export type OciStatus = "creating" | "created" | "running" | "paused" | "stopped";

export interface OciState {
  readonly status: OciStatus;
  /** The first process, 0 when there is none (any more). */
  readonly pid: number;
  /** Its start time in clock ticks since boot. */
  readonly start: bigint;
}

const none = { pid: 0, start: 0n };

/** @param record undefined while its creator has not written it */
export function readOciState(directory: string, record: OciRecord | undefined): OciState {
  const process = readPid(directory);
  if (process === undefined) {
    const creating = record !== undefined && processIsAlive(record.creator[0], BigInt(record.creator[1]));
    return { status: creating ? "creating" : "stopped", ...none };
  }
  if (!processIsAlive(process.pid, process.start)) return { status: "stopped", ...none };
  if (!existsSync(join(directory, "started"))) return { status: "created", ...process };
  return { status: record !== undefined && isFrozen(new Map(record.cgroups)) ? "paused" : "running", ...process };
}

/** `PID START …`, as keel wrote it. */
function readPid(directory: string): { readonly pid: number; readonly start: bigint } | undefined {
  const [pid = "", start = ""] = (readText(join(directory, "pid")) ?? "").trim().split(" ");
  return pid === "" || start === "" ? undefined : { pid: Number(pid), start: BigInt(start) };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENODEV" || code === "ENOTDIR") return undefined;
    throw error;
  }
}
