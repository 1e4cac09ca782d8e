/** What the runtime can do on this host, in the form of runtime-spec features.md and features-linux.md. */
import { capabilityNames, cgroupFeatures, mountOptions, supportedSeccompFlags, type HostFacts } from "#plan";
import { seccompActions, seccompArchitectures, seccompFlagNames, seccompOperators } from "#spec";
import { specVersion } from "./help.ts";

const hooks = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"];
const memoryModes = [
  "MPOL_DEFAULT",
  "MPOL_BIND",
  "MPOL_INTERLEAVE",
  "MPOL_WEIGHTED_INTERLEAVE",
  "MPOL_PREFERRED",
  "MPOL_PREFERRED_MANY",
  "MPOL_LOCAL",
];
const memoryFlags = ["MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES"];

export function describeFeatures(facts: HostFacts): unknown {
  return {
    ociVersionMin: "1.0.0",
    ociVersionMax: specVersion,
    hooks,
    mountOptions,
    linux: {
      namespaces: [...facts.namespaces].toSorted(),
      capabilities: capabilityNames.slice(0, facts.lastCapability + 1),
      cgroup: cgroupFeatures,
      seccomp: {
        enabled: facts.seccomp,
        actions: seccompActions,
        operators: seccompOperators,
        archs: seccompArchitectures,
        knownFlags: seccompFlagNames,
        supportedFlags: facts.seccomp ? supportedSeccompFlags(facts.kernel) : [],
      },
      apparmor: { enabled: facts.lsm.includes("apparmor") },
      selinux: { enabled: facts.lsm.includes("selinux") },
      intelRdt: { enabled: facts.resctrl !== undefined },
      memoryPolicy: { modes: memoryModes, flags: memoryFlags },
      mountExtensions: { idmap: { enabled: facts.kernel[0] > 5 || facts.kernel[1] >= 12 } },
      netDevices: { enabled: true },
    },
    annotations: {
      "org.sampan.landlock": String(facts.lsm.includes("landlock")),
    },
    potentiallyUnsafeConfigAnnotations: ["run.oci.", "org.sampan."],
  };
}
