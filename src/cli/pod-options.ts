/** What the options of a pod mean to the engine. */
import type { PodOptions } from "#engine";
import { invalidArgument } from "#errdefs";
import type { OptionValues } from "./command.ts";
import { limitOptions } from "./limit-options.ts";
import { splitPairs } from "./pairs.ts";
import type { podFlags } from "./pod-flags.ts";

export function podOptions(values: OptionValues<typeof podFlags>, name: string | undefined): PodOptions {
  const limits = limitOptions({ ...values, restart: undefined });
  const shared = values.share?.split(",").filter((word) => word !== "");
  const share = shared?.map((word) => {
    if (word !== "net" && word !== "ipc" && word !== "uts")
      throw invalidArgument(`Cannot parse --share "${values.share}": it is a list of net, ipc and uts`);
    return word;
  });
  return {
    ...(name !== undefined && { name }),
    ...(share !== undefined && { share }),
    ...(Object.keys(limits).length > 0 && { limits }),
    ...(values["add-host"].length > 0 && { addHosts: values["add-host"] }),
    ...(values["cgroup-parent"] !== undefined && { cgroupParent: values["cgroup-parent"] }),
    ...(values["cni-arg"].length > 0 && { cni: { args: splitPairs(values["cni-arg"]) } }),
    ...(values.dns.length > 0 && { dns: values.dns }),
    ...(values.hostname !== undefined && { hostname: values.hostname }),
    ...(values.label.length > 0 && { labels: splitPairs(values.label) }),
    ...(values.network.length === 1 && { network: values.network[0] ?? "" }),
    ...(values.network.length > 1 && { networks: values.network.map((network) => ({ name: network })) }),
    ...(values.publish.length > 0 && { publish: values.publish }),
    ...(values["shm-size"] !== undefined && { shmSize: values["shm-size"] }),
  };
}
