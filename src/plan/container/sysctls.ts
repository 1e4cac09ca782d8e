import { invalidArgument, permissionDenied } from "#errdefs";
import type { NamespaceType } from "#spec";
import type { Setting } from "../operation.gen.ts";
import type { StepList } from "./step-list.ts";

/** Kernel parameters of the ipc namespace (ipc_namespaces(7)); fs.mqueue.* are too. */
const ipcKeys: ReadonlySet<string> = new Set([
  "kernel/msgmax",
  "kernel/msgmnb",
  "kernel/msgmni",
  "kernel/sem",
  "kernel/shmall",
  "kernel/shmmax",
  "kernel/shmmni",
  "kernel/shm_rmid_forced",
]);

/**
 * Namespace that a key belongs to; undefined for a key of the whole host. `kernel.hostname` is not here: the config's
 * `hostname` is for that.
 */
function namespaceOf(path: string): NamespaceType | undefined {
  if (path.startsWith("net/")) return "network";
  if (ipcKeys.has(path) || path.startsWith("fs/mqueue/")) return "ipc";
  if (path === "kernel/domainname") return "uts";
  if (path.startsWith("user/")) return "user";
  return undefined;
}

/**
 * Adds the config's sysctls. Each must belong to a namespace that is the container's own and new, or it would be set for
 * the host or for others (CVE-2022-0811, CVE-2022-0532, GHSA-w2j5-3rcx-vx7x).
 */
export function addSysctls(
  list: StepList,
  sysctls: ReadonlyMap<string, string>,
  created: ReadonlySet<NamespaceType>,
): void {
  for (const setting of checkedSysctls(sysctls, created, "container"))
    list.add(
      { op: "sysctl", ...setting },
      "The config sets this kernel parameter, for the container alone",
      "runtime-spec config-linux.md#sysctl",
    );
}

/**
 * Settings of namespaces that are made for a container or a pod.
 *
 * @throws SampanError `permission-denied` for what would change the host or others, `invalid-argument`
 */
export function checkedSysctls(
  sysctls: ReadonlyMap<string, string>,
  created: ReadonlySet<NamespaceType>,
  whose: "container" | "pod",
): readonly Setting[] {
  return [...sysctls].map(([name, value]) => {
    const key = sysctlPath(name);
    const namespace = namespaceOf(key);
    if (namespace === undefined)
      throw permissionDenied(
        `Cannot set sysctl "${name}": it is no parameter of a namespace, and would change the host`,
      );
    if (!created.has(namespace))
      throw permissionDenied(
        `Cannot set sysctl "${name}": the ${whose} has no ${namespace} namespace of its own, so that it would change others`,
      );
    if (/[\0\n]/.test(value) || value.length > 4096)
      throw invalidArgument(`Cannot set sysctl "${name}": its value is not one line of at most 4096 characters`);
    return { key, value };
  });
}

/**
 * Path below /proc/sys: `net.ipv4.ip_forward` → `net/ipv4/ip_forward`. As with sysctl(8), when the first separator is a
 * slash, slashes separate and dots stay (`net/ipv4/conf/eth0.1/rp_filter`); otherwise the two are exchanged.
 */
function sysctlPath(name: string): string {
  const first = /[./]/.exec(name)?.[0];
  const path = first === "." ? name.replaceAll(/[./]/g, (c) => (c === "." ? "/" : ".")) : name;
  if (!/^[A-Za-z0-9_-]+(\/[A-Za-z0-9_.@:-]+)+$/.test(path) || path.split("/").some((x) => x === "." || x === ".."))
    throw invalidArgument(`Cannot set sysctl "${name}": it is no name of a kernel parameter`);
  return path;
}
