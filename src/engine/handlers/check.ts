/** What other runtimes can't do, told when a container is made and not when it is used. */
import { unsupported } from "#errdefs";
import { sharesSandbox, type RuntimeHandler } from "#plan";
import type { PodRecord } from "../pods/pod-book.ts";
import type { ContainerOptions } from "../options.ts";

/** @throws SampanError `unsupported` that names the option and the runtime */
export function checkHandlerOptions(
  handler: RuntimeHandler,
  options: ContainerOptions,
  pod: PodRecord | undefined,
): void {
  const refuse = (what: string, why: string): never => {
    throw unsupported(`Cannot use ${what} with runtime "${handler.name}": ${why}`, {
      remedy: "Leave it out, or use the built-in runtime",
    });
  };
  for (const { propagation = "rprivate", target } of options.mounts ?? [])
    if (propagation.endsWith("shared"))
      refuse(
        `propagation "${propagation}" of the mount on "${target}"`,
        "its files are put together apart from the host's mounts",
      );
  if (!sharesSandbox(handler)) return;
  if (pod !== undefined && pod.options.runtime !== handler.name)
    refuse(`pod "${pod.name}"`, "all containers of a pod are in one sandbox of it, which this pod was not made with");
  if (options.pid !== undefined && options.pid !== "private")
    refuse(`pid namespace "${options.pid}"`, "its processes are in a sandbox of their own");
  if (options.ipc === "host") refuse('ipc namespace "host"', "its memory is in a sandbox of its own");
}
