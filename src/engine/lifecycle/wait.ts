/** Waiting for what is to come: the next end of a container, or its removal. */
import { notFound } from "#errdefs";
import type { ExitStatus } from "#runtime";
import { lostStatus } from "#runtime";
import type { EngineCore } from "../core.ts";
import { exitOf } from "../events/event.ts";
import { readEvents } from "../events/read-journal.ts";
import type { ContainerRecord } from "../records.ts";

/** `not-running` is met at once by a container that does not run; `next-exit` is the next end from now on. */
export type WaitCondition = "not-running" | "next-exit" | "removed";

/**
 * @returns how the container ended last; as if it had been lost when it never ran
 * @throws SampanError `not-found` when it is removed before its next end
 */
export async function waitFor(
  core: EngineCore,
  { id, name }: ContainerRecord,
  condition: Exclude<WaitCondition, "not-running">,
  signal: AbortSignal | undefined,
): Promise<ExitStatus> {
  const events = readEvents(core.journal, (e) => e.id === id && e.type === "container", { signal });
  const state = core.runtime.state(id);
  let last = state.status === "stopped" ? state.exit : lostStatus;
  // Looked at after the listening began.
  if (!core.records.has(id)) return gone(condition, name, last);
  for await (const event of events) {
    if (event.action === "die") {
      last = exitOf(event);
      if (condition === "next-exit") return last;
    } else if (event.action === "destroy") return gone(condition, name, last);
  }
  signal?.throwIfAborted();
  return last;
}

function gone(condition: WaitCondition, name: string, last: ExitStatus): ExitStatus {
  if (condition === "removed") return last;
  throw notFound(`Cannot wait for the next end of container "${name}": it has been removed`);
}
