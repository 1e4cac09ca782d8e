/** The processes of a container, as `ps` of the host shows them. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { failedPrecondition, invalidArgument, isSampanError, unavailable } from "#errdefs";
import { containerProcesses } from "#host";
import type { EngineCore } from "../core.ts";
import type { ContainerRecord } from "../records.ts";

export interface ProcessTable {
  readonly titles: readonly string[];
  readonly processes: readonly (readonly string[])[];
}

/**
 * @param options of the host's ps(1), such as `-o pid,comm`; without them it is not run
 * @throws SampanError `failed-precondition` when the container does not run, `invalid-argument` when ps refuses the options
 */
export async function containerTop(
  core: EngineCore,
  record: ContainerRecord,
  options: readonly string[],
): Promise<ProcessTable> {
  if (core.runtime.state(record.id).status !== "running")
    throw failedPrecondition(`Cannot list processes of container "${record.name}": it is not running`);
  const pids = containerProcesses(core.cgroups(record));
  return options.length === 0 ? readProcesses(pids) : await psTable(new Set(pids), options);
}

const titles = ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"];

/** As `ps -ef` shows them. Those that have ended meanwhile are left out. */
function readProcesses(pids: readonly number[]): ProcessTable {
  const now = Date.now();
  const uptime = Number((read("/proc/uptime") ?? "0").split(" ")[0]);
  return { titles, processes: pids.flatMap((pid) => readProcess(pid, now, uptime) ?? []) };
}

/** Clock ticks a second of /proc: the same on all of Linux's architectures that Node runs on. */
const ticks = 100;

function readProcess(pid: number, now: number, uptime: number): [string[]] | undefined {
  const stat = read(`/proc/${pid}/stat`);
  const status = read(`/proc/${pid}/status`);
  if (stat === undefined || status === undefined) return undefined;
  const close = stat.lastIndexOf(")");
  const name = stat.slice(stat.indexOf("(") + 1, close);
  const fields = stat
    .slice(close + 2)
    .split(" ")
    .map(Number);
  const [, parent = 0, , , terminal = 0] = fields;
  const used = ((fields[11] ?? 0) + (fields[12] ?? 0)) / ticks;
  const age = Math.max(uptime - (fields[19] ?? 0) / ticks, 0);
  const command = (read(`/proc/${pid}/cmdline`) ?? "").replace(/\0$/, "").replaceAll("\0", " ");
  const row = [
    /^Uid:\s+(\d+)/m.exec(status)?.[1] ?? "?",
    String(pid),
    String(parent),
    String(Math.min(99, age > 0 ? Math.floor((100 * used) / age) : 0)),
    startTime(now - age * 1000, now),
    terminalName(terminal),
    [Math.floor(used / 3600), Math.floor(used / 60) % 60, Math.floor(used) % 60]
      .map((n) => String(n).padStart(2, "0"))
      .join(":"),
    command === "" ? `[${name}]` : command,
  ];
  return [row];
}

/** The time of day, or the day for what is older than one. */
function startTime(at: number, now: number): string {
  const date = new Date(at);
  const two = (n: number): string => String(n).padStart(2, "0");
  if (now - at < 24 * 3600 * 1000) return `${two(date.getHours())}:${two(date.getMinutes())}`;
  return `${date.toLocaleString("en", { month: "short" })}${two(date.getDate())}`;
}

/** From the device number of the controlling terminal (proc_pid_stat(5), tty_nr). */
function terminalName(device: number): string {
  const major = (device >> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  if (device === 0) return "?";
  if (major >= 136 && major <= 143) return `pts/${(major - 136) * 256 + minor}`;
  return major === 4 ? `tty${minor}` : `${major}:${minor}`;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

async function psTable(pids: ReadonlySet<number>, options: readonly string[]): Promise<ProcessTable> {
  let output;
  try {
    output = (await promisify(execFile)("ps", options, { maxBuffer: 64 * 1024 * 1024 })).stdout;
  } catch (error) {
    const { code, stderr = "" } = error as { readonly code?: unknown; readonly stderr?: string };
    if (code === "ENOENT")
      throw unavailable("Cannot list processes: this host has no ps", { remedy: "Leave its options out" });
    if (isSampanError(error) || typeof code !== "number") throw error;
    throw invalidArgument(`Cannot list processes by ps ${options.join(" ")}: ${stderr.split("\n", 1)[0] ?? ""}`);
  }
  const [header = "", ...lines] = output.split("\n").filter((line) => line.trim() !== "");
  const names = header.trim().split(/\s+/);
  const at = names.indexOf("PID");
  if (at < 0)
    throw invalidArgument(`Cannot list processes by ps ${options.join(" ")}: the output has no column PID`, {
      remedy: "Add -o pid to the options",
    });
  const processes = lines.map((line) => cells(line, names.length)).filter((row) => pids.has(Number(row[at])));
  return { titles: names, processes };
}

/** The last column holds the rest of the line, spaces too. */
function cells(line: string, count: number): string[] {
  const words = line.trim().split(/\s+/);
  if (words.length <= count) return words;
  return [...words.slice(0, count - 1), words.slice(count - 1).join(" ")];
}
