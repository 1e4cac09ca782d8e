/** Options of limits: those that `update` can change, and those that only a new container can have. */
import type { OptionDefinitions } from "./command.ts";

export const limitFlags = {
  "blkio-weight": { type: "string", value: "WEIGHT", help: "relative weight of disk time, 10 to 1000, 0 for none" },
  "cpu-period": { type: "string", value: "MICROSECONDS", help: "period of --cpu-quota, 1000 to 1000000" },
  "cpu-quota": { type: "string", value: "MICROSECONDS", help: "processor time in each period, -1 for no limit" },
  "cpu-rt-period": { type: "string", value: "MICROSECONDS", help: "period of --cpu-rt-runtime" },
  "cpu-rt-runtime": { type: "string", value: "MICROSECONDS", help: "real-time processor time in each period" },
  "cpu-shares": { type: "string", short: "c", value: "SHARES", help: "relative weight of processor time, 2 to 262144" },
  cpus: { type: "string", value: "NUMBER", help: "processors it may use, e.g. 1.5" },
  "cpuset-cpus": { type: "string", value: "LIST", help: "processors it may run on, e.g. 0-2,4" },
  "cpuset-mems": { type: "string", value: "LIST", help: "memory nodes it may use" },
  memory: { type: "string", short: "m", value: "BYTES", help: "memory it may use, e.g. 256m" },
  "memory-reservation": { type: "string", value: "BYTES", help: "memory it keeps when the host is short of it" },
  "memory-swap": { type: "string", value: "BYTES", help: "memory and swap together, -1 for unlimited swap" },
  "pids-limit": { type: "string", value: "NUMBER", help: "processes and threads it may have, -1 for no limit" },
  restart: { type: "string", value: "POLICY", help: "no (default), on-failure[:N], always or unless-stopped" },
} as const satisfies OptionDefinitions;

export const fixedLimitFlags = {
  "blkio-weight-device": { type: "list", value: "DEVICE:WEIGHT", help: "relative weight of a device's time" },
  "cgroup-conf": {
    type: "list",
    value: "FILE=VALUE",
    help: "write a file of its cgroup (v2), e.g. memory.high=100000000",
  },
  "cgroup-parent": { type: "string", value: "PATH", help: "cgroup that its own is made in, e.g. /jobs" },
  "device-cgroup-rule": { type: "list", value: "RULE", help: "let it use devices, e.g. 'c 42:* rmw'" },
  "device-read-bps": { type: "list", value: "DEVICE:BYTES", help: "bytes a second that it may read of a device" },
  "device-read-iops": { type: "list", value: "DEVICE:NUMBER", help: "reads a second of a device" },
  "device-write-bps": { type: "list", value: "DEVICE:BYTES", help: "bytes a second that it may write to a device" },
  "device-write-iops": { type: "list", value: "DEVICE:NUMBER", help: "writes a second to a device" },
  "hugepage-limit": { type: "list", value: "SIZE=BYTES", help: "huge pages of a size that it may use, e.g. 2MB=64m" },
  "memory-swappiness": { type: "string", value: "NUMBER", help: "how willingly its memory is swapped out, 0 to 100" },
  "oom-kill-disable": { type: "boolean", help: "let processes wait when memory is full, do not kill them (cgroup v1)" },
  "oom-score-adj": { type: "string", value: "NUMBER", help: "how readily it is killed when the host is out of memory" },
} as const satisfies OptionDefinitions;
