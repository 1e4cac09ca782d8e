/**
 * How a container is, from the files that its monitor keeps in its state directory. Reading them needs no lock: each is
 * written whole or not at all.
 *
 *   (none)        created in the engine's book only
 *   pid           the first process, told apart from a later one with the same pid by its start time, and the monitor likewise
 *   started       there once `start` succeeded; its content is the time, in ms since the epoch
 *   exit          how the first process ended
 *   config.json   there for a container that another runtime made
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { processIsAlive } from "#host";

/** In the state directory of a container that another runtime made: its config.json. */
export const handlerFile = "config.json";

export interface ExitStatus {
  /** Exit code, or 128 + signal. */
  readonly status: number;
  /** Signal that ended it, 0 for none. */
  readonly signal: number;
  readonly oomKilled: boolean;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export type RuntimeState =
  | { readonly status: "none" }
  | { readonly status: "created"; readonly pid: number }
  | { readonly status: "running"; readonly pid: number; readonly startedAt: number }
  | { readonly status: "stopped"; readonly exit: ExitStatus; readonly startedAt: number | undefined }
  /** Its process has ended and nobody could note how: the monitor was killed, or the host went down. */
  | { readonly status: "lost"; readonly startedAt: number | undefined };

export function readState(directory: string): RuntimeState {
  const exit = readExit(directory);
  const startedText = readText(join(directory, "started"));
  const startedAt = startedText === undefined ? undefined : Number(startedText);
  if (exit !== undefined) return { status: "stopped", exit, startedAt };
  const [pidText, startText, monitor = "0", monitorStart = "0"] = (readText(join(directory, "pid")) ?? "")
    .trim()
    .split(" ");
  if (pidText === undefined || startText === undefined || pidText === "") return { status: "none" };
  const pid = Number(pidText);
  // Between the process's end and the note of it the monitor cleans up and takes the last output: it runs until then.
  const watched = processIsAlive(Number(monitor), BigInt(monitorStart));
  // What another runtime made does not end with its monitor; but nobody will know how it does, or can reach it.
  if (!watched && (!processIsAlive(pid, BigInt(startText)) || existsSync(join(directory, handlerFile)))) {
    // The monitor may have noted it between the two reads.
    const late = readExit(directory);
    return late === undefined ? { status: "lost", startedAt } : { status: "stopped", exit: late, startedAt };
  }
  return startedAt === undefined ? { status: "created", pid } : { status: "running", pid, startedAt };
}

function readExit(directory: string): ExitStatus | undefined {
  const text = readText(join(directory, "exit"));
  if (text === undefined) return undefined;
  const [status, signal, oom, seconds, nanoseconds] = text.trim().split(" ").map(Number);
  return {
    status: status ?? 255,
    signal: signal ?? 0,
    oomKilled: oom === 1,
    at: (seconds ?? 0) * 1000 + Math.floor((nanoseconds ?? 0) / 1_000_000),
  };
}

function readText(path: string): string | undefined {
  // Most often it is not there, and an exception costs more than a look.
  if (!existsSync(path)) return undefined;
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
