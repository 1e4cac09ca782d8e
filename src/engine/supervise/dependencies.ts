/** Containers that others need: started before them, and waited for. */
import { failedPrecondition, invalidArgument, isSampanError } from "#errdefs";
import type { Container } from "../container.ts";
import type { EngineCore } from "../core.ts";
import { readEvents } from "../events/read-journal.ts";
import type { ContainerRecord, Records } from "../records.ts";
import { readHealth } from "./health-file.ts";

export interface Dependency {
  /** Id of the container that is needed. */
  readonly id: string;
  /** It must run, be healthy, or have ended with 0. */
  readonly condition: "started" | "healthy" | "completed";
}

/** `NAME` or `NAME:CONDITION`. Throws `not-found` when there is no such container. */
export function parseDependency(text: string, records: Records): Dependency {
  const [, name = "", condition = "started"] = /^([^:]*)(?::(.*))?$/s.exec(text) ?? [];
  if (condition !== "started" && condition !== "healthy" && condition !== "completed")
    throw invalidArgument(`Cannot parse --depends-on "${text}": it is not NAME[:started|healthy|completed]`);
  const { id, resolved } = records.find(name);
  if (condition === "healthy" && resolved.health === undefined)
    throw invalidArgument(`Cannot depend on the health of container "${name}": it has no health check`);
  return { id, condition };
}

/**
 * Starts what a container needs and waits until it is as it is needed.
 *
 * @param open gives the handle of a container
 * @param above containers that are being started for which this one is needed: a circle is refused
 * @throws SampanError `failed-precondition` when one has been removed, ends or becomes unhealthy
 */
export async function startDependencies(
  core: EngineCore,
  container: Container,
  open: (record: ContainerRecord) => Container,
  above: readonly string[] = [],
): Promise<void> {
  for (const { id, condition } of container.record.resolved.dependsOn ?? []) {
    if (above.includes(id) || id === container.id)
      throw failedPrecondition(`Cannot start container "${container.name}": it depends on itself`);
    let needed;
    try {
      needed = open(core.records.find(id));
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
