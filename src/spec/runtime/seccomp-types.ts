export type SeccompAction =
  | "SCMP_ACT_KILL"
  | "SCMP_ACT_KILL_PROCESS"
  | "SCMP_ACT_KILL_THREAD"
  | "SCMP_ACT_TRAP"
  | "SCMP_ACT_ERRNO"
  | "SCMP_ACT_TRACE"
  | "SCMP_ACT_ALLOW"
  | "SCMP_ACT_LOG"
  | "SCMP_ACT_NOTIFY";

export type SeccompOperator =
  | "SCMP_CMP_NE"
  | "SCMP_CMP_LT"
  | "SCMP_CMP_LE"
  | "SCMP_CMP_EQ"
  | "SCMP_CMP_GE"
  | "SCMP_CMP_GT"
  | "SCMP_CMP_MASKED_EQ";

/** config-linux.md#seccomp */
export interface SeccompProfile {
  readonly defaultAction: SeccompAction;
  /** For SCMP_ACT_ERRNO and SCMP_ACT_TRACE; EPERM when undefined. */
  readonly defaultErrnoRet?: number | undefined;
  /** e.g. `SCMP_ARCH_X86_64`; empty for the native one. */
  readonly architectures: readonly string[];
  /** e.g. `SECCOMP_FILTER_FLAG_LOG` */
  readonly flags: readonly string[];
  readonly listenerPath?: string | undefined;
  readonly listenerMetadata?: string | undefined;
  readonly syscalls: readonly SeccompRule[];
}

/** What to do for some system calls, when all conditions on their arguments hold. */
export interface SeccompRule {
  readonly names: readonly string[];
  readonly action: SeccompAction;
  readonly errnoRet?: number | undefined;
  readonly args: readonly SeccompCondition[];
}

export interface SeccompCondition {
  /** Which argument, 0 to 5. */
  readonly index: number;
  /** To compare with; the mask of SCMP_CMP_MASKED_EQ. */
  readonly value: bigint;
  /** What the masked argument must equal, for SCMP_CMP_MASKED_EQ only. */
  readonly valueTwo: bigint;
  readonly op: SeccompOperator;
}
