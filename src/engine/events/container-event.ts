import type { EngineCore } from "../core.ts";
import type { ContainerRecord } from "../records.ts";

/** What every event of a container tells of it: its labels, its image and its name. */
export function containerAttributes({ name, image, resolved }: ContainerRecord): Record<string, string> {
  return { ...resolved.labels, image, name };
}

/** Tells that something was done with a container. */
export function containerEvent(
  core: EngineCore,
  record: ContainerRecord,
  action: string,
  attributes: Readonly<Record<string, string>> = {},
): void {
  core.journal.emit("container", action, record.id, { ...containerAttributes(record), ...attributes });
}
