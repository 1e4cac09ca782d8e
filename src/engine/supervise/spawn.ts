/** The background process that supervises a root where no daemon does. */
import { spawn } from "node:child_process";
import type { EngineCore } from "../core.ts";

/**
 * Starts one where a container is to run that needs it and no supervisor lives. Returns at once; of several that are started
 * at the same time one stays.
 */
export function ensureSupervisor(core: EngineCore): void {
  if (!core.supervision.isAnyWanted() || core.supervision.supervisor() !== undefined) return;
  const [program, ...words] = core.superviseCommand();
  if (program === undefined) return;
  const child = spawn(program, words, {
    detached: true,
    stdio: "ignore",
    cwd: "/",
    env: { ...process.env, SAMPAN_CGROUP_PARENT: core.cgroupParent },
  });
  // Without it nothing is restarted; the next engine tries again.
  child.on("error", () => undefined);
  child.unref();
}
