import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { EngineCore } from "../core.ts";
import { containerEvent } from "../events/container-event.ts";
import type { ContainerRecord } from "../records.ts";
import { lostStatus } from "#runtime";

/**
 * Tells of the end of a container whose monitor was killed and could not: once, by whoever notices first. Does nothing for
 * any other.
 */
export function noteLost(core: EngineCore, record: ContainerRecord): void {
  if (core.runtime.state(record.id).status !== "lost") return;
  try {
    writeFileSync(join(core.runtime.stateDirectory(record.id), "lost"), "", { flag: "wx", mode: 0o600 });
  } catch {
    // Another process has told it, or the container is gone.
    return;
  }
  containerEvent(core, record, "die", { exitCode: String(lostStatus.status), lost: "true" });
}
