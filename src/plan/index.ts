export type * from "./operation.gen.ts";
export type * from "./host-facts.ts";
export type * from "./plan.ts";
export { cgroupDirectories, checkCgroupPath } from "./cgroup/directories.ts";
export { execCgroups } from "./cgroup/exec-cgroups.ts";
export { killAllOperations, planFreeze } from "./cgroup/freeze.ts";
export { cgroupFeatures } from "./cgroup/features.ts";
export { cgroupPlace, type CgroupPlace, type FoundCgroup } from "./cgroup/place.ts";
export { freshLimits, type CurrentLimits } from "./cgroup/current-limits.ts";
export { mergeResources } from "./cgroup/merge-resources.ts";
export { planRollback, updatedFiles, type SavedFiles } from "./cgroup/rollback.ts";
export { planGroup, type GroupPlan } from "./cgroup/plan-group.ts";
export { planUpdate, type Update, type UpdateOptions } from "./cgroup/plan-update.ts";
export { planContainer } from "./container/plan-container.ts";
export { checkedSysctls } from "./container/sysctls.ts";
export { namespaceFlags } from "./tables/namespaces.ts";
export { planRdtUpdate, type RdtUpdate } from "./container/rdt-update.ts";
export { planExec, type ExecOptions as ExecPlanOptions } from "./container/plan-exec.ts";
export * from "./handler/handler.ts";
export { handlerLeftover, planHandler, planHandlerExec, type HandlerPlan } from "./handler/plan-handler.ts";
export { planVolumeMount } from "./container/plan-volume.ts";
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
export { supportedSeccompFlags } from "./seccomp/flags.ts";
export { defaultProfileName, defaultSeccompProfile } from "./seccomp/default-profile.ts";
export { resolveSeccompFile, type SeccompContext } from "./seccomp/resolve.ts";
export { capabilityNames, capabilityNumber, capabilitiesOf } from "./tables/capabilities.ts";
export { mountOptions } from "./tables/mount-options.ts";
export { rlimitName, rlimitNames, rlimitNumber, unlimited } from "./tables/rlimits.ts";
export { signalName, signalNumber } from "./tables/signals.ts";
