export { doctor, type Finding } from "./doctor.ts";
export { parseMountInfo, type MountInfo } from "./mountinfo.ts";
export { probeHost, probeResctrl } from "./probe.ts";
export { processIsAlive, processStartTime } from "./process.ts";
export { readCurrentLimits } from "./cgroup/current-limits.ts";
export { containerProcesses, findCgroups, groupProcesses, isFrozen, oomKills, processGroups } from "./cgroup/groups.ts";
export { readNetworkStats, type NetworkInterfaceStats } from "./cgroup/network.ts";
export { readCgroupStats } from "./cgroup/read-stats.ts";
export type * from "./cgroup/stats-types.ts";
