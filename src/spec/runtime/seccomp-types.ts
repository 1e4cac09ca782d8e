/** Architectures that a profile can name: those of libseccomp 2.6. */
export const seccompArchitectures = [
  "SCMP_ARCH_X86",
  "SCMP_ARCH_X86_64",
  "SCMP_ARCH_X32",
  "SCMP_ARCH_ARM",
  "SCMP_ARCH_AARCH64",
  "SCMP_ARCH_MIPS",
  "SCMP_ARCH_MIPS64",
  "SCMP_ARCH_MIPS64N32",
  "SCMP_ARCH_MIPSEL",
  "SCMP_ARCH_MIPSEL64",
  "SCMP_ARCH_MIPSEL64N32",
  "SCMP_ARCH_PPC",
  "SCMP_ARCH_PPC64",
  "SCMP_ARCH_PPC64LE",
  "SCMP_ARCH_S390",
  "SCMP_ARCH_S390X",
  "SCMP_ARCH_PARISC",
  "SCMP_ARCH_PARISC64",
  "SCMP_ARCH_RISCV64",
  "SCMP_ARCH_LOONGARCH64",
  "SCMP_ARCH_M68K",
  "SCMP_ARCH_SH",
  "SCMP_ARCH_SHEB",
] as const;
export type SeccompArchitecture = (typeof seccompArchitectures)[number];

export const seccompActions = [
  "SCMP_ACT_KILL",
  "SCMP_ACT_KILL_PROCESS",
  "SCMP_ACT_KILL_THREAD",
  "SCMP_ACT_TRAP",
  "SCMP_ACT_ERRNO",
  "SCMP_ACT_TRACE",
  "SCMP_ACT_ALLOW",
  "SCMP_ACT_LOG",
  "SCMP_ACT_NOTIFY",
] as const;
export type SeccompAction = (typeof seccompActions)[number];

export const seccompOperators = [
  "SCMP_CMP_NE",
  "SCMP_CMP_LT",
  "SCMP_CMP_LE",
  "SCMP_CMP_EQ",
  "SCMP_CMP_GE",
  "SCMP_CMP_GT",
  "SCMP_CMP_MASKED_EQ",
] as const;
export type SeccompOperator = (typeof seccompOperators)[number];

/** Flags that a profile can set; seccomp(2) has more, which only the runtime can use. */
export const seccompFlagNames = [
  "SECCOMP_FILTER_FLAG_TSYNC",
  "SECCOMP_FILTER_FLAG_LOG",
  "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
  "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
] as const;
export type SeccompFlag = (typeof seccompFlagNames)[number];

/** config-linux.md#seccomp */
export interface SeccompProfile {
  readonly defaultAction: SeccompAction;
  /** For SCMP_ACT_ERRNO, and as message of SCMP_ACT_TRACE; EPERM when undefined. */
  readonly defaultErrnoRet?: number | undefined;
  /** The native one is always in. */
  readonly architectures: readonly SeccompArchitecture[];
  /** When undefined, SECCOMP_FILTER_FLAG_SPEC_ALLOW, which is what other runtimes take then. */
  readonly flags?: readonly SeccompFlag[] | undefined;
  /** Socket of the agent that SCMP_ACT_NOTIFY asks. */
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
