/** Starting what a container depends on, and waiting for it. */
import { failedPrecondition, isSampanError } from "#errdefs";
import { Container } from "../container.ts";
import type { EngineCore } from "../core.ts";
import { readEvents } from "../events/read-journal.ts";
import type { Dependency } from "./dependencies.ts";
import { readHealth } from "./health-file.ts";

/**
 * Starts what a container needs and waits until it is as it is needed.
 *
 * @param above containers that are being started for which this one is needed: a circle is refused
 * @throws SampanError `failed-precondition` when one has been removed, ends or becomes unhealthy
 */
export async function startDependencies(
  core: EngineCore,
  container: Container,
  above: readonly string[],
): Promise<void> {
  for (const { id, condition } of container.record.resolved.dependsOn ?? []) {
    if (above.includes(id) || id === container.id)
      throw failedPrecondition(`Cannot start container "${container.name}": it depends on itself`);
    let needed;
    try {
      needed = new Container(core, core.records.find(id));
    } catch (error) {
      if (!isSampanError(error, "not-found")) throw error;
      throw failedPrecondition(`Cannot start container "${container.name}": what it depends on has been removed`, {
        cause: error,
      });
    }
    await startNeeded(core, container, needed, condition, above);
  }
}

async function startNeeded(
  core: EngineCore,
  container: Container,
  needed: Container,
  condition: Dependency["condition"],
  above: readonly string[],
): Promise<void> {
  const { id, name } = needed;
  const events = readEvents(core.journal, (e) => e.id === id, {});
  try {
    const { state } = needed;
    const completed = (): boolean => {
      const now = needed.state;
      return now.status === "stopped" && now.exit.status === 0;
    };
    if (condition === "completed" && completed()) return;
    if (state.status !== "running") {
      try {
        await needed.start({ above: [...above, container.id] });
      } catch (error) {
        // Another command may have started it meanwhile.
        if (!isSampanError(error, "failed-precondition") || needed.state.status !== "running") throw error;
      }
    }
    if (condition === "started") return;
    const health = (): string => readHealth(core.runtime.stateDirectory(id))?.status ?? "starting";
    for (;;) {
      const { status } = needed.state;
      const fail = (why: string): never => {
        throw failedPrecondition(`Cannot start container "${container.name}": "${name}", which it depends on, ${why}`);
      };
      if (condition === "completed") {
        if (completed()) return;
        if (status === "stopped" || status === "lost") fail("has failed");
      } else {
        if (status !== "running" && status !== "created") fail("has ended");
        if (health() === "healthy") return;
        if (health() === "unhealthy") fail("is unhealthy");
      }
      await events.next();
    }
  } finally {
    await events.return();
  }
}
