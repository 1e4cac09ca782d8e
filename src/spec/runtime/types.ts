/**
 * Types of the OCI runtime-spec 1.3, as far as they concern Linux. Missing lists are empty lists here, missing maps empty
 * maps. 64-bit values are bigint, so that `2^64-1` (no limit) is kept exactly.
 */
import type {
  CpuAffinityConfig,
  IntelRdtConfig,
  IoPriorityConfig,
  MemoryPolicyConfig,
  NetDeviceConfig,
  PersonalityConfig,
  SchedulerConfig,
} from "./attribute-types.ts";
import type { LandlockConfig } from "./landlock-types.ts";
import type { Resources } from "./resource-types.ts";
import type { SeccompProfile } from "./seccomp-types.ts";

/** config.md */
export interface RuntimeConfig {
  readonly ociVersion: string;
  readonly root?: RootConfig | undefined;
  readonly process?: ProcessConfig | undefined;
  readonly hostname?: string | undefined;
  readonly domainname?: string | undefined;
  readonly mounts: readonly MountConfig[];
  readonly hooks: HooksConfig;
  readonly annotations: ReadonlyMap<string, string>;
  readonly linux: LinuxConfig;
}

export interface RootConfig {
  readonly path: string;
  readonly readonly: boolean;
}

/** config.md#process */
export interface ProcessConfig {
  readonly terminal: boolean;
  readonly consoleSize?: { readonly width: number; readonly height: number } | undefined;
  readonly user: UserConfig;
  readonly args: readonly string[];
  /** NAME=value */
  readonly env: readonly string[];
  readonly cwd: string;
  /** Undefined: the process has none. */
  readonly capabilities?: CapabilitySets | undefined;
  readonly rlimits: readonly RlimitConfig[];
  readonly noNewPrivileges: boolean;
  readonly oomScoreAdj?: number | undefined;
  readonly scheduler?: SchedulerConfig | undefined;
  readonly ioPriority?: IoPriorityConfig | undefined;
  readonly execCPUAffinity?: CpuAffinityConfig | undefined;
  readonly apparmorProfile?: string | undefined;
  readonly selinuxLabel?: string | undefined;
}

export interface UserConfig {
  readonly uid: number;
  readonly gid: number;
  readonly umask?: number | undefined;
  readonly additionalGids: readonly number[];
}

/** Capability names, e.g. `CAP_CHOWN`. */
export interface CapabilitySets {
  readonly bounding: readonly string[];
  readonly effective: readonly string[];
  readonly inheritable: readonly string[];
  readonly permitted: readonly string[];
  readonly ambient: readonly string[];
}

export interface RlimitConfig {
  /** e.g. `RLIMIT_NOFILE` */
  readonly type: string;
  /** 2^64-1 for unlimited */
  readonly soft: bigint;
  readonly hard: bigint;
}

/** config.md#mounts */
export interface MountConfig {
  readonly destination: string;
  /** Empty when the config does not say. */
  readonly type: string;
  /** Empty when the config does not say. */
  readonly source: string;
  readonly options: readonly string[];
  readonly uidMappings: readonly IdMapping[];
  readonly gidMappings: readonly IdMapping[];
}

export interface IdMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

/** config.md#posix-platform-hooks */
export interface HooksConfig {
  readonly prestart: readonly HookConfig[];
  readonly createRuntime: readonly HookConfig[];
  readonly createContainer: readonly HookConfig[];
  readonly startContainer: readonly HookConfig[];
  readonly poststart: readonly HookConfig[];
  readonly poststop: readonly HookConfig[];
}

export interface HookConfig {
  readonly path: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** Seconds. */
  readonly timeout?: number | undefined;
}

export type NamespaceType = "pid" | "network" | "mount" | "ipc" | "uts" | "user" | "cgroup" | "time";

/** config-linux.md */
export interface LinuxConfig {
  readonly namespaces: readonly NamespaceConfig[];
  readonly uidMappings: readonly IdMapping[];
  readonly gidMappings: readonly IdMapping[];
  /** By clock: `monotonic` or `boottime`. */
  readonly timeOffsets: ReadonlyMap<string, TimeOffset>;
  readonly devices: readonly DeviceConfig[];
  readonly resources?: Resources | undefined;
  readonly cgroupsPath?: string | undefined;
  readonly sysctl: ReadonlyMap<string, string>;
  readonly seccomp?: SeccompProfile | undefined;
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
  readonly rootfsPropagation?: RootfsPropagation | undefined;
  readonly mountLabel?: string | undefined;
  readonly personality?: PersonalityConfig | undefined;
  readonly memoryPolicy?: MemoryPolicyConfig | undefined;
  readonly intelRdt?: IntelRdtConfig | undefined;
  /** By name on the host. */
  readonly netDevices?: ReadonlyMap<string, NetDeviceConfig> | undefined;
  /** Not of the spec: from the annotation `org.sampan.landlock`. */
  readonly landlock?: LandlockConfig | undefined;
}

/** With `r` it is for all mounts, without it for the root alone. */
export type RootfsPropagation = `${"" | "r"}${"private" | "slave" | "shared" | "unbindable"}`;

export interface NamespaceConfig {
  readonly type: NamespaceType;
  /** File of an existing namespace; undefined for a new one. */
  readonly path?: string | undefined;
}

export interface TimeOffset {
  readonly secs: bigint;
  readonly nanosecs: number;
}

/** config-linux.md#devices; `c` and `u` are character devices, `b` block devices, `p` FIFOs. */
export interface DeviceConfig {
  readonly path: string;
  readonly type: "c" | "b" | "u" | "p";
  readonly major: number;
  readonly minor: number;
  /** Permission bits; 0666 when undefined. */
  readonly fileMode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}
