/** Commands in a test host: a running one, and the result of one that ended. */
import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { readFile } from "node:fs/promises";
import { Buffer } from "node:buffer";
import type { Readable, Writable } from "node:stream";

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  /** Exit code; 128+n when signal n ended the command, 124 when the timeout did. */
  readonly code: number;
}

/** A command that `nsenter` started in a host. `nsenter` stays outside, waits for it, and takes over its exit status. */
export class HostProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves with the exit code (128+n for signal n) when the command has ended and its pipes are closed. */
  readonly exited: Promise<number>;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    const { stdin, stdout, stderr } = child;
    if (stdin === null || stdout === null || stderr === null) throw new Error("Cannot run without pipes");
    this.#child = child;
    this.stdin = stdin;
    this.stdout = stdout;
    this.stderr = stderr;
    // A command may end without having read its stdin.
    stdin.on("error", () => undefined);
    this.exited = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
    });
  }

  /**
   * Pid of the command as the test process sees it, as soon as `nsenter` has started it.
   *
   * @throws Error when the command has ended
   */
  async outerPid(): Promise<number> {
    for (;;) {
      const { pid, exitCode, signalCode } = this.#child;
      if (pid === undefined || exitCode !== null || signalCode !== null) throw new Error("The command has ended");
      const child = childOf(pid);
      if (child !== undefined) return child;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** Pid of the command inside the host. */
  async pid(): Promise<number> {
    const status = await readFile(`/proc/${await this.outerPid()}/status`, "utf8");
    return Number(/^NSpid:.*\t(\d+)$/m.exec(status)?.[1]);
  }

  /** Sends a signal to the command alone, not to its children. */
  async signal(signal: NodeJS.Signals): Promise<void> {
    process.kill(await this.outerPid(), signal);
  }

  /** Kills the command and its process group, but not `nsenter`, which then reaps it. */
  kill(): void {
    const { pid } = this.#child;
    const child = pid === undefined ? undefined : childOf(pid);
    if (child === undefined) return;
    // Until setsid(1) has run, the command still is in nsenter's process group.
    for (const target of [-child, child]) signalIfThere(target);
  }
}

function signalIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function childOf(pid: number): number | undefined {
  try {
    const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ");
    return child === undefined || child === "" ? undefined : Number(child);
  } catch {
    return undefined; // it has ended
  }
}

/**
 * Feeds `input` to a process and collects its output until it has ended and nothing holds its pipes, or until it has run
 * for `timeout` milliseconds.
 */
export async function collect(
  child: HostProcess,
  { input, timeout = 60_000 }: { readonly input?: string | Uint8Array; readonly timeout?: number },
): Promise<CommandResult> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (data: Buffer) => stdout.push(data));
  child.stderr.on("data", (data: Buffer) => stderr.push(data));
  child.stdin.end(input === undefined ? undefined : Buffer.from(input));
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill();
    // What left the process group may hold the pipes, and must not hold the test.
    child.stdout.destroy();
    child.stderr.destroy();
  }, timeout);
  try {
    const code = await child.exited;
    const note = timedOut ? `\n[killed after ${timeout} ms]\n` : "";
    return {
      stdout: Buffer.concat(stdout).toString(),
      stderr: Buffer.concat(stderr).toString() + note,
      code: timedOut ? 124 : code,
    };
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Runs a command on the machine itself, with the test process's environment, to its end.
 *
 * @param options `env` is added to the environment; `timeout` in milliseconds, ten minutes if not given
 * @returns like `TestHost.run`; 127 when there is no such command
 */
export async function runHere(
  argv: readonly string[],
  options: {
    readonly input?: string | Uint8Array;
    readonly env?: Readonly<Record<string, string>>;
    readonly cwd?: string;
    readonly timeout?: number;
  } = {},
): Promise<CommandResult> {
  const [command = "", ...args] = argv;
  const { input, env, cwd, timeout = 600_000 } = options;
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ["pipe", "pipe", "pipe"],
    timeout,
    killSignal: "SIGKILL",
    ...(cwd === undefined ? {} : { cwd }),
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (data: Buffer) => stdout.push(data));
  child.stderr.on("data", (data: Buffer) => stderr.push(data));
  child.stdin.on("error", () => undefined);
  child.stdin.end(input === undefined ? undefined : Buffer.from(input));
  const code = await new Promise<number>((resolve) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      stderr.push(Buffer.from(error.message));
      resolve(error.code === "ENOENT" ? 127 : 126);
    });
    child.once("close", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
  return { stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString(), code };
}

/** Like {@link runHere}, for set-up that must succeed. Resolves with stdout without its final newline. */
export async function mustHere(...[argv, options]: Parameters<typeof runHere>): Promise<string> {
  const { code, stdout, stderr } = await runHere(argv, options);
  if (code !== 0) throw new Error(`Cannot run "${argv.join(" ")}": exit code ${code}\n${stdout}${stderr}`);
  return stdout.replace(/\n$/, "");
}
