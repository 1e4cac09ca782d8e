import { failedPrecondition, invalidArgument } from "#errdefs";
import type { LinuxConfig } from "#spec";
import type { HostFacts } from "../host-facts.ts";
import type { NamespacePlan } from "./namespaces.ts";
import type { StepList } from "./step-list.ts";

/** Moves devices of the host's network into the container's (`linux.netDevices`). It takes them along when it ends. */
export function addNetDevices(list: StepList, linux: LinuxConfig, namespaces: NamespacePlan, facts: HostFacts): void {
  for (const [name, device] of linux.netDevices ?? []) {
    if (!namespaces.created.has("network") && !namespaces.joined.has("network"))
      throw invalidArgument(`Cannot move network device "${name}": the container has no network namespace of its own`);
    if (facts.rootless)
      throw failedPrecondition(`Cannot move network device "${name}": only root of the host may take it away`);
    list.add(
      { op: "move-network-device", name, newName: device.name ?? name },
      "The container gets this network device of the host, with its addresses",
      "runtime-spec config-linux.md#network-devices",
    );
  }
}
