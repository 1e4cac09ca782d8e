import type { SeccompAction } from "#spec";

/** SECCOMP_RET_*, from include/uapi/linux/seccomp.h. */
const returns: Readonly<Record<SeccompAction, number>> = {
  SCMP_ACT_KILL_PROCESS: 0x8000_0000,
  SCMP_ACT_KILL: 0,
  SCMP_ACT_KILL_THREAD: 0,
  SCMP_ACT_TRAP: 0x0003_0000,
  SCMP_ACT_ERRNO: 0x0005_0000,
  SCMP_ACT_NOTIFY: 0x7fc0_0000,
  SCMP_ACT_TRACE: 0x7ff0_0000,
  SCMP_ACT_LOG: 0x7ffc_0000,
  SCMP_ACT_ALLOW: 0x7fff_0000,
};

const eperm = 1;

/** What the filter returns for an action; `errno` is the low half for ERRNO and TRACE, EPERM when undefined. */
export function actionValue(action: SeccompAction, errno: number | undefined): number {
  const value = returns[action];
  const withData = action === "SCMP_ACT_ERRNO" || action === "SCMP_ACT_TRACE";
  return withData ? value | ((errno ?? eperm) & 0xffff) : value;
}
