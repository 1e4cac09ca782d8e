export type * from "./operation.gen.ts";
export type * from "./host-facts.ts";
export type * from "./plan.ts";
export { cgroupDirectories, checkCgroupPath } from "./cgroup/directories.ts";
export { planContainer } from "./container/plan-container.ts";
export { planExec } from "./container/plan-exec.ts";
export { planMountAdd, planMountRemove, type MountChange } from "./container/plan-mounts.ts";
export {
  defaultCapabilities,
  defaultMaskedPaths,
  defaultMounts,
  defaultNamespaces,
  defaultReadonlyPaths,
  defaultShmSize,
  privilegedDeviceRules,
} from "./defaults.ts";
export { describeOperation } from "./explain/describe.ts";
export { withOrigin } from "./explain/origin.ts";
export { explainPlan, operationsOf } from "./explain/explain.ts";
export { compileSeccomp, compileSeccompProfile, type CompiledSeccomp } from "./seccomp/compile.ts";
export { defaultSeccompProfile } from "./seccomp/default-profile.ts";
export { resolveSeccompFile, type SeccompContext } from "./seccomp/resolve.ts";
export { capabilityNames, capabilityNumber, capabilitiesOf } from "./tables/capabilities.ts";
export { mountOptions } from "./tables/mount-options.ts";
export { rlimitName, rlimitNames, rlimitNumber, unlimited } from "./tables/rlimits.ts";
export { signalName, signalNumber } from "./tables/signals.ts";
