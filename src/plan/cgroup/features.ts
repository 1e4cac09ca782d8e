/** What `features` tells of cgroups: what the runtime can do, not what this host has (runtime-spec features-linux.md). */
export const cgroupFeatures = { v1: true, v2: true, systemd: false, systemdUser: false, rdma: true } as const;
