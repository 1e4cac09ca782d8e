/** AppArmor profiles and SELinux labels. */
import { failedPrecondition, invalidArgument } from "#errdefs";
import type { ProcessConfig } from "#spec";
import type { HostFacts } from "../host-facts.ts";
import type { MountParameter } from "../operation.gen.ts";
import { checkText } from "./paths.ts";
import type { StepList } from "./step-list.ts";

const processSource = "runtime-spec config.md#linux-process";

/** A label that the host's SELinux takes; undefined where none is asked for. */
export function selinuxLabel(label: string | undefined, property: string, facts: HostFacts): string | undefined {
  if (label === undefined || label === "") return undefined;
  if (!facts.lsm.includes("selinux"))
    throw failedPrecondition(`Cannot apply ${property} "${label}": SELinux is not active on this host`, {
      remedy: `Leave ${property} out, or boot with SELinux`,
    });
  // oxlint-disable-next-line no-control-regex -- no label has them, and a line end would cut it short
  if (/[\u0000-\u001f"]/.test(label))
    throw invalidArgument(`Cannot apply ${property} "${label}": it has a quote or a control character`);
  return label;
}

/**
 * What the program is confined by when it is executed. Written early, while nothing is filtered or given up yet: the
 * kernel keeps it for the next exec, which is that of the program (or of the init that it runs below). An AppArmor profile
 * that starts with `&` is stacked upon the one that Sampan itself runs under; `A//&B` are two at once.
 */
export function addLabels(list: StepList, process: ProcessConfig, facts: HostFacts): void {
  const profile = process.apparmorProfile ?? "";
  if (profile !== "" && profile !== "unconfined") {
    if (!facts.lsm.includes("apparmor"))
      throw failedPrecondition(`Cannot apply AppArmor profile "${profile}": AppArmor is not active on this host`, {
        remedy: "Leave process.apparmorProfile out, or boot with AppArmor",
      });
    if (/\s/.test(profile)) throw invalidArgument(`Cannot apply AppArmor profile "${profile}": it has white space`);
    list.add(
      {
        op: "security-attribute",
        module: "apparmor",
        attribute: "exec",
        value: `exec ${checkText(profile, "AppArmor profile")}`,
      },
      "The program may only do what this AppArmor profile allows",
      processSource,
    );
  }
  const label = selinuxLabel(process.selinuxLabel, "process.selinuxLabel", facts);
  if (label !== undefined)
    list.add(
      { op: "security-attribute", module: "", attribute: "exec", value: label },
      "SELinux allows the program what its rules allow this label",
      processSource,
    );
}

/** A session keyring of its own, which the process may use under its SELinux label. */
export function addKeyring(list: StepList, name: string, process: ProcessConfig, facts: HostFacts): void {
  const label = selinuxLabel(process.selinuxLabel, "process.selinuxLabel", facts);
  const create = (value: string, why: string): void =>
    list.add({ op: "security-attribute", module: "", attribute: "keycreate", value }, why, processSource);
  if (label !== undefined) create(label, "The keyring gets the label of the process that uses it");
  list.add(
    { op: "keyring", name: checkText(name, "keyring name") },
    "Keys that the host's user holds are not seen in the container",
    "keyrings(7)",
  );
  if (label !== undefined) create("", "Keys made from here on get their usual label");
}

/** Filesystems whose files the kernel labels itself, by rules of its own. */
const ownLabels: ReadonlySet<string> = new Set(["proc", "sysfs", "cgroup", "cgroup2", "mqueue"]);

/** `linux.mountLabel` as a parameter of a new filesystem, unless the mount's own options say a label. */
export function labelParameters(
  type: string,
  parameters: readonly MountParameter[],
  label: string | undefined,
): readonly MountParameter[] {
  if (label === undefined || ownLabels.has(type)) return parameters;
  const has = parameters.some(({ key }) => /^(context|fscontext|defcontext|rootcontext)$/.test(key));
  // fsconfig(2) takes it as it is; only mount(2) needs quotes around its commas.
  return has ? parameters : [...parameters, { key: "context", value: label }];
}

/** The kernel has made the filesystem of message queues with the namespace, and takes no label for it any more. */
export function addQueueLabel(list: StepList, type: string, path: string, label: string | undefined): void {
  if (label !== undefined && type === "mqueue")
    list.add(
      { op: "directory-xattr", path, name: "security.selinux", value: label },
      "Programs of the container may make message queues here",
      "runtime-spec config-linux.md#mount-label",
    );
}
