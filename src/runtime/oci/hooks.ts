/** Hooks that run outside of the container's own program: poststart and poststop, and the state that all hooks get. */
import { spawn } from "node:child_process";
import { failedPrecondition } from "#errdefs";
import type { ContainerStatus } from "#plan";
import type { HookConfig } from "#spec";

/** What hooks are told of their container. */
export interface HookSubject {
  readonly id: string;
  readonly ociVersion: string;
  readonly bundle: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Bytes of a failed hook's stderr that are shown. */
const shownOutput = 200;

/** runtime-spec runtime.md#state, as the texts before and after the pid. */
export function hookStateParts(
  subject: HookSubject,
  status: ContainerStatus,
): readonly [before: string, after: string] {
  const { id, ociVersion, bundle, annotations } = subject;
  const rest = Object.keys(annotations).length === 0 ? { bundle } : { bundle, annotations };
  return [`${JSON.stringify({ ociVersion, id, status }).slice(0, -1)},"pid":`, `,${JSON.stringify(rest).slice(1)}`];
}

/** @param pid 0 for a container that has ended, which has none */
export function hookState(subject: HookSubject, status: ContainerStatus, pid: number): string {
  const { id, ociVersion, bundle, annotations } = subject;
  return JSON.stringify({
    ociVersion,
    id,
    status,
    ...(pid === 0 ? {} : { pid }),
    bundle,
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  });
}

/**
 * Runs one hook on the host's side and waits for its end.
 *
 * @param input what it gets on stdin
 * @throws SampanError `failed-precondition` when it does not end with exit code 0 in time
 */
export async function runHook(hook: HookConfig, name: string, directory: string, input: string): Promise<void> {
  const fail = (state: string): Error => failedPrecondition(`Cannot run ${name} hook "${hook.path}": ${state}`);
  const child = spawn(hook.path, hook.args.slice(1), {
    argv0: hook.args[0] ?? hook.path,
    cwd: directory,
    // Exactly what the config says, and nothing of ours.
    env: Object.fromEntries(hook.env.map((e) => e.split(/=(.*)/s, 2))) as Record<string, string>,
    stdio: ["pipe", "ignore", "pipe"],
    detached: true,
  });
  let output = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output = (output + text).slice(-shownOutput);
  });
  // It need not read what it is given.
  child.stdin.on("error", () => undefined).end(input);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let late = false;
  const timer =
    hook.timeout === undefined || hook.timeout === 0
      ? undefined
      : setTimeout(() => {
          late = true;
          killGroup(child.pid);
        }, hook.timeout * 1000);
  child.on("error", (error: NodeJS.ErrnoException) =>
    reject(fail(error.code === "ENOENT" ? "no such file" : error.message)),
  );
  child.on("exit", (code, signal) => {
    const said = output.trim() === "" ? "" : `: ${output.trim()}`;
    if (late) reject(fail(`it did not end within ${hook.timeout} seconds${said}`));
    else if (code === 0) resolve();
    else reject(fail(`${signal === null ? `exit status ${code}` : `killed by ${signal}`}${said}`));
    // What it may have left behind holds the pipe.
    child.stderr.destroy();
  });
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // it has just ended
  }
}
