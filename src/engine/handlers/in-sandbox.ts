import { unsupported } from "#errdefs";
import { isInSandbox } from "#plan";
import type { EngineCore } from "../core.ts";
import type { ContainerRecord } from "../records.ts";

/**
 * @param action that continues `Cannot`
 * @throws SampanError `unsupported` for a container that has no processes of its own on this kernel
 */
export function refuseInSandbox(core: EngineCore, record: ContainerRecord, action: string): void {
  const handler = core.handlers.container(record);
  if (handler === undefined || !isInSandbox(handler)) return;
  throw unsupported(
    `Cannot ${action} container "${record.name}": runtime "${handler.handler.name}" has one sandbox for all of its pod`,
    { remedy: "Do it to the pod" },
  );
}
