/** The end of a container of the OCI runtime. */
import { rmdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { failedPrecondition } from "#errdefs";
import { processIsAlive } from "#host";
import type { Executor } from "#keel";
import type { Operation } from "#plan";
import type { OciContainer } from "./oci-runtime.ts";
import { removeDirectory } from "./remove-directory.ts";

/** How long a killed process may take to end, in milliseconds. */
const patience = 10_000;

/**
 * Ends all its processes, in whatever state it is, and removes its cgroups.
 *
 * @throws SampanError `failed-precondition` when a process does not end
 */
export async function endContainer(executor: Executor, { record, directory, state }: OciContainer): Promise<void> {
  // One that is just being made finds no place to note its process any more, and gives up.
  if (state.status === "creating") removeDirectory(directory);
  if (state.pid !== 0)
    try {
      process.kill(state.pid, "SIGKILL");
    } catch {
      // it has just ended
    }
  const paths = [...new Set(record.cgroups.map(([, path]) => path))];
  const removed = new Set(record.exit.flatMap((o) => (o.op === "cgroup-remove" ? [o.path] : [])));
  await executor.execute([
    ...paths.filter((path) => removed.has(path)).map((path) => ({ op: "cgroup-kill" as const, path })),
    ...record.exit,
  ]);
  for (let waited = 0; state.pid !== 0 && processIsAlive(state.pid, state.start); waited += 5) {
    if (waited > patience) throw failedPrecondition(`Cannot kill container "${record.id}": it does not end`);
    await sleep(5);
  }
}

/** Removes the cgroups of one that has ended. Empty ones go without keel, which costs more than they do. */
export async function removeCgroups(executor: Executor, exit: readonly Operation[]): Promise<void> {
  const left = exit.filter((operation) => operation.op !== "cgroup-remove" || !removeEmpty(operation.path));
  if (left.length > 0) await executor.execute(left);
}

function removeEmpty(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
}
