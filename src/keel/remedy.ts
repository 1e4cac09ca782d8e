/** What to do about failures of operations that a user's options cause, where the kernel's complaint does not say it. */
import { constants } from "node:os";
import type { Operation } from "#plan";
import { landlockRemedy } from "./landlock-remedy.ts";

const { errno } = constants;
/** SCHED_DEADLINE */
const deadline = 6;

/** One sentence without a full stop; undefined where there is nothing to say beyond the error itself. */
export function remedyOf(operation: Operation | undefined, error: number): string | undefined {
  if (error === errno.ENOSPC || error === errno.EDQUOT) return "Free some space, or move elsewhere with --root";
  return operation === undefined ? undefined : byOperation(operation, error);
}

function byOperation(operation: Operation, error: number): string | undefined {
  switch (operation.op) {
    case "find-executable":
    case "exec":
      if (error === errno.ENOENT) return "Name a program that the image has, by its path or as one in its PATH";
      if (error === errno.EACCES) return "It must be a file that the user may execute";
      return error === errno.ENOEXEC
        ? "It is for another processor, or a script without #! in its first line"
        : undefined;
    case "pivot-root":
      return error === errno.EINVAL ? "Where the host's root is a ramdisk, it needs --no-pivot" : undefined;
    case "bind":
      if (error === errno.ENOENT) return "Make it first";
      return error === errno.EINVAL || error === errno.ENOTDIR
        ? "A directory can be bound on a directory only, and a file on a file"
        : undefined;
    case "write-file":
      if (error === errno.EBUSY && operation.path.endsWith("limit_in_bytes"))
        return "The container uses more memory than that, and the kernel could not take it back";
      if (error === errno.ENOENT && operation.path.startsWith("/sys/fs/cgroup/"))
        return "This kernel has no such file, or the controller could not be enabled in a group above";
      return /\/cpuset\.(cpus|mems)$/.test(operation.path) && (error === errno.ERANGE || error === errno.EINVAL)
        ? "The host has no such processor or memory node: see /sys/devices/system/cpu/online"
        : undefined;
    case "write-first":
      return error === errno.ENOENT ? "No scheduler of this kernel has weights: load BFQ (modprobe bfq)" : undefined;
    case "freeze":
      return error === errno.ETIMEDOUT ? "A process of it waits for a device or a network filesystem" : undefined;
    case "sysctl":
      if (error === errno.ENOENT) return "This kernel has no such parameter, see /proc/sys";
      return error === errno.EINVAL ? "The parameter does not take this value" : undefined;
    case "rlimit":
      return error === errno.EPERM ? "The host may not give more than its own hard limit, see ulimit -H" : undefined;
    case "scheduler":
      if (error !== errno.EPERM && error !== errno.EBUSY) return undefined;
      return operation.policy === deadline
        ? "SCHED_DEADLINE wants CAP_SYS_NICE, every processor (no cpuset), and what the host has not promised to others"
        : "It wants CAP_SYS_NICE, and where the kernel groups real-time processes, linux.resources.cpu.realtimeRuntime";
    case "io-priority":
      return error === errno.EPERM ? "The class of real-time wants CAP_SYS_NICE" : undefined;
    case "cpu-affinity":
      return error === errno.EINVAL ? "The cgroup's cpuset has none of these processors" : undefined;
    case "memory-policy":
      return error === errno.EINVAL
        ? "The host, or the cgroup's cpuset, has none of these memory nodes, or the kernel has no such mode"
        : undefined;
    case "personality":
      return error === errno.EINVAL ? "This processor runs no 32-bit programs" : undefined;
    case "security-attribute":
      if (error === errno.ENOENT) return "The host has not loaded such a profile (see aa-status)";
      return error === errno.EINVAL ? "The host's policy has no such label" : undefined;
    case "move-network-device":
      if (error === errno.ENODEV) return "The host's network namespace must have such a device (see ip link)";
      if (error === errno.EEXIST) return "The container's network namespace has one of that name: give it another";
      return error === errno.EINVAL || error === errno.EOPNOTSUPP
        ? "The kernel moves no loopback and no device that is bound to its namespace"
        : undefined;
    case "landlock":
      if (error === errno.EOPNOTSUPP) return landlockRemedy(operation);
      return error === errno.ENOENT ? "A path of a rule must exist when the container starts" : undefined;
    default:
      return undefined;
  }
}
