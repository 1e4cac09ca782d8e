/**
 * Containers of the simplest kind for tests of the monitor: processes of this machine in a PID namespace of their own, held
 * by a real monitor. Disposing kills what is left of them, and waits until their monitors have gone.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { KeelExecutor, MonitorClient, type CreateOptions } from "#keel";
import type { Operation } from "#plan";
import { checkout } from "./checkout.ts";

/** Brings both builds of keel up to date. */
export function buildKeel(): void {
  const { status, stderr } = spawnSync("make", ["-s", "-C", join(checkout, "native/keel"), "all", "sanitize"]);
  if (status !== 0) throw new Error(`Cannot build keel: ${stderr.toString()}`);
}

const newPid = 0x20000000n;

const environment = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=dumb"];

export interface ProgramOptions {
  readonly terminal?: boolean;
  /** `clone` flags; a PID namespace without it. */
  readonly namespaces?: bigint;
  /** Before `clone`. */
  readonly before?: readonly Operation[];
  /** After `clone`. */
  readonly after?: readonly Operation[];
}

const terminalOperations: readonly Operation[] = [
  { op: "root-directory", path: "/" },
  { op: "terminal", columns: 0, rows: 0, console: false },
];

export function containerProgram(command: readonly string[], options: ProgramOptions = {}): readonly Operation[] {
  return [
    ...(options.before ?? []),
    { op: "clone", namespaces: options.namespaces ?? newPid, cgroup: "" },
    ...(options.after ?? []),
    ...(options.terminal === true ? terminalOperations : [{ op: "session" } as const]),
    { op: "wait-start" },
    { op: "exec", arguments: command, environment, init: false },
  ];
}

export function execProgram(
  command: readonly string[],
  options: { readonly terminal?: boolean } = {},
): readonly Operation[] {
  return [
    { op: "join-container", namespaces: newPid },
    { op: "clone", namespaces: 0n, cgroup: "" },
    ...(options.terminal === true ? terminalOperations : [{ op: "session" } as const]),
    { op: "exec", arguments: command, environment, init: false },
  ];
}

export const shell = (script: string): readonly string[] => ["/bin/sh", "-c", script];

export interface LogEntry {
  readonly stream: string;
  readonly tag: string;
  readonly text: string;
}

/** Entries of a log, one string a byte. Throws for a line that isn't CRI's format. */
export function parseLog(path: string): LogEntry[] {
  const lines = readFileSync(path, "latin1").split("\n");
  if (lines.pop() !== "") throw new Error("The log does not end with a newline");
  return lines.map((line) => {
    const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) (stdout|stderr) ([FP]) (.*)$/s.exec(line);
    if (match === null) throw new Error(`Not an entry of a log: ${line.slice(0, 80)}`);
    const [, time = "", stream = "", tag = "", text = ""] = match;
    if (Math.abs(Date.parse(time) - Date.now()) > 600_000) throw new Error(`Not a time of now: ${time}`);
    return { stream, tag, text };
  });
}

/** Kilobytes of memory that a process costs, shared pages counted in proportion. */
export function proportionalSize(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1]);
}

export function parentOf(pid: number): number {
  return Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

export function alive(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

export async function until(condition: () => boolean, milliseconds = 5000): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`Not within ${milliseconds} ms: ${condition.toString()}`);
    await sleep(5);
  }
}

export interface Created {
  readonly pid: number;
  readonly monitor: number;
  readonly directory: string;
  readonly log: string;
  readonly client: MonitorClient;
}

export class Monitored implements AsyncDisposable {
  readonly directory = mkdtempSync("/var/tmp/sampan-monitor-");
  readonly executor: KeelExecutor;
  readonly #created: Created[] = [];

  constructor(keel: string) {
    this.executor = new KeelExecutor(keel);
  }

  /** Fresh state directory for a container. */
  state(name = String(this.#created.length)): string {
    const state = join(this.directory, name);
    mkdirSync(state, { recursive: true, mode: 0o700 });
    return state;
  }

  async create(
    program: readonly Operation[],
    options: Partial<CreateOptions> = {},
    directory: string = this.state(),
  ): Promise<Created> {
    const log = options.log ?? join(directory, "log");
    const { pid, monitor } = await this.executor.create({
      stateDirectory: directory,
      terminal: false,
      openStdin: false,
      stdinOnce: false,
      inheritStdio: false,
      oomFile: "",
      exitProgram: [],
      exitCommand: [],
      ...options,
      log,
      program,
    });
    const created = { pid, monitor, directory, log, client: await MonitorClient.connect(directory) };
    this.#created.push(created);
    return created;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { pid, monitor, directory, client } of this.#created) {
      client.close();
      // The pid is the container's for as long as its monitor has not noted the end.
      if (!existsSync(join(directory, "exit")) && alive(monitor)) process.kill(pid, "SIGKILL");
      await until(() => !alive(monitor), 15_000);
    }
    await this.executor[Symbol.asyncDispose]();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
