/** Containers that others need. */
import { invalidArgument } from "#errdefs";
import type { Records } from "../records.ts";

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
