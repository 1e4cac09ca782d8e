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
    if (word !== "net" && word !== "ipc" && word !== "uts" && word !== "pid")
      throw invalidArgument(`Cannot parse --share "${values.share}": it is a list of net, ipc, uts and pid`);
    return word;
  });
  for (const what of ["pid", "ipc"] as const)
    if (values[what] !== undefined && values[what] !== "host")
      throw invalidArgument(`Cannot parse --${what} "${values[what]}": a pod's own is part of --share, or it is host`);
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
    ...(values.pid !== undefined && { pid: "host" }),
    ...(values.ipc !== undefined && { ipc: "host" }),
    ...(values.sysctl.length > 0 && { sysctls: splitPairs(values.sysctl) }),
    ...(values["shm-size"] !== undefined && { shmSize: values["shm-size"] }),
  };
}
