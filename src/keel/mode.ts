/** keel's processes. */
import { spawn, type ChildProcess } from "node:child_process";

/** Starts keel in one of its modes, with a socket pair as the child's `stdio[3]`. */
export function start(path: string, mode: string, inherit = false, preserve: readonly number[] = []): ChildProcess {
  const own = inherit ? "inherit" : "ignore";
  // A session of its own keeps the terminal's signals from it.
  return spawn(path, preserve.length === 0 ? [mode] : [mode, String(preserve.length)], {
    stdio: [own, own, "inherit", "pipe", ...preserve],
    detached: true,
    env: {},
  });
}

/** Resolves when the process has ended. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.ref();
  await new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
}
