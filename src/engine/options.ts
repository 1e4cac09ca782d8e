/** What a container is made from: the options of `run` and of the library, plain data that is kept with the container. */
import type { CniContainerOptions } from "./network/cni-settings.ts";
import type { IdMapOption, IsolationOptions } from "./isolation-options.ts";
import type { SecretOption } from "./secrets/secrets.ts";
import type { HealthOptions } from "./supervise/health.ts";

export interface MountOption {
  readonly type: "bind" | "volume" | "tmpfs" | "image";
  /** Absolute host path for a bind; a name for a named volume, absent for an anonymous one; an image's name or id. */
  readonly source?: string;
  /** Absolute path inside. */
  readonly target: string;
  readonly readOnly?: boolean;
  /** For a bind: `rprivate` (default), `private`, `rshared`, `shared`, `rslave`, `slave`. */
  readonly propagation?: string;
  /** For a bind: without mounts below the source. */
  readonly nonRecursive?: boolean;
  /** For a bind: `readOnly` holds for the mounts below the source too. */
  readonly recursiveReadOnly?: boolean;
  /** For a bind: a source that is missing is made, as a directory. */
  readonly makeSource?: boolean;
  /** For a bind: owners of its files that others are shown as. */
  readonly uidMappings?: readonly IdMapOption[];
  readonly gidMappings?: readonly IdMapOption[];
  /** For a bind or an image: `noexec`, `nodev`, `nosuid`. */
  readonly mountOptions?: readonly string[];
  /** For a tmpfs: mount options such as `size=64m`, `mode=1777`, `noexec`. */
  readonly tmpfsOptions?: readonly string[];
  /** For an image: path in it of what is mounted, in place of all. */
  readonly subpath?: string;
  /** For a volume: don't copy what the image has at the target. */
  readonly noCopy?: boolean;
  /** For a named volume that is not there yet: what it is made with. */
  readonly volumeLabels?: Readonly<Record<string, string>>;
  readonly volumeOptions?: Readonly<Record<string, string>>;
}

export interface DeviceOption {
  readonly hostPath: string;
  readonly path: string;
  /** Some of `r`, `w`, `m`. */
  readonly permissions: string;
}

export interface DeviceRate {
  /** Block device on the host, e.g. `/dev/sda`. */
  readonly path: string;
  /** Of the device; bytes may be a text such as `10m`. */
  readonly rate: number | string;
}

export interface UlimitOption {
  /** Docker's names: `nofile`, `nproc`, `core` … */
  readonly name: string;
  /** -1 is unlimited. */
  readonly soft: number;
  readonly hard: number;
}

/** A network that a container is on. */
export interface NetworkOption {
  readonly name: string;
  /** Fixed addresses; the next free ones of the network otherwise. */
  readonly ip?: string;
  readonly ip6?: string;
  readonly mac?: string;
  /** Further names by which the network's other containers know it. */
  readonly aliases?: readonly string[];
  /** Name of the interface inside; `eth0`, `eth1` … by default. */
  readonly interface?: string;
}

export interface ContainerOptions extends IsolationOptions {
  /** Name or id of the image. */
  readonly image: string;
  /** Replaces the image's CMD. */
  readonly command?: readonly string[];
  /** Replaces the image's ENTRYPOINT; an empty list resets it. */
  readonly entrypoint?: readonly string[];
  readonly name?: string;
  /** `NAME=value`; a later one wins over an earlier one and over the image's. */
  readonly env?: readonly string[] | Readonly<Record<string, string>>;
  readonly workdir?: string;
  readonly user?: string;
  readonly groupAdd?: readonly string[];
  readonly hostname?: string;
  readonly domainname?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly mounts?: readonly MountOption[];
  /** Name or id of the pod that it is part of. */
  readonly pod?: string;
  /** Containers whose binds and volumes it has too: `NAME`, or `NAME:ro`. */
  readonly volumesFrom?: readonly string[];
  /** Files that are in memory only. */
  readonly secrets?: readonly SecretOption[];
  readonly readOnly?: boolean;
  /** Bytes, or a text such as `256m`. */
  readonly memory?: number | string;
  /** Memory and swap together; `-1` for unlimited swap. */
  readonly memorySwap?: number | string;
  readonly memoryReservation?: number | string;
  /** Processors, e.g. 0.5. */
  readonly cpus?: number | string;
  readonly cpuShares?: number;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  /** Microseconds of processor time in each {@link ContainerOptions.cpuPeriod}; in place of `cpus`. */
  readonly cpuQuota?: number;
  /** Microseconds, 1000 to 1000000. */
  readonly cpuPeriod?: number;
  /** Microseconds of real-time scheduling in each {@link ContainerOptions.cpuRtPeriod} (cgroup v1). */
  readonly cpuRtRuntime?: number;
  readonly cpuRtPeriod?: number;
  /** 0 to 100, how willingly its memory is swapped out (cgroup v1); -1 leaves it. */
  readonly memorySwappiness?: number;
  /** Processes wait when memory is full, and are not killed (cgroup v1). */
  readonly oomKillDisable?: boolean;
  /** -1000 to 1000. */
  readonly oomScoreAdj?: number;
  /** 10 to 1000; 0 leaves it. */
  readonly blkioWeight?: number;
  readonly blkioWeightDevices?: readonly DeviceRate[];
  /** Bytes a second. */
  readonly deviceReadBps?: readonly DeviceRate[];
  readonly deviceWriteBps?: readonly DeviceRate[];
  /** Operations a second. */
  readonly deviceReadIops?: readonly DeviceRate[];
  readonly deviceWriteIops?: readonly DeviceRate[];
  /** Bytes of huge pages by their size, e.g. `{ "2MB": "64m" }`. */
  readonly hugepages?: Readonly<Record<string, number | string>>;
  /** Files of cgroup v2 and what is written to them, e.g. `{ "memory.high": "100000000" }`. */
  readonly cgroupFiles?: Readonly<Record<string, string>>;
  /** Rules of the device list such as `c 42:* rmw`, after those of `devices`. */
  readonly deviceRules?: readonly string[];
  /** Cgroup that the container's own is made in, in place of the engine's: `/jobs/night` in each hierarchy. */
  readonly cgroupParent?: string;
  /** -1 or 0 is unlimited. */
  readonly pidsLimit?: number;
  readonly shmSize?: number | string;
  readonly capAdd?: readonly string[];
  readonly capDrop?: readonly string[];
  /** A seccomp profile in Docker's or the runtime-spec's JSON form, or `unconfined`. The default profile otherwise. */
  readonly seccomp?: "unconfined" | object;
  readonly noNewPrivileges?: boolean;
  readonly privileged?: boolean;
  readonly ulimits?: readonly UlimitOption[];
  readonly sysctls?: Readonly<Record<string, string>>;
  readonly devices?: readonly DeviceOption[];
  readonly init?: boolean;
  /** A network's name, `none`, `host`, `container:NAME-OR-ID`, `cni` or `cni:NAME`; `bridge` by default. */
  readonly network?: string;
  /** In place of `network`: several, or one with fixed addresses and the like. */
  readonly networks?: readonly NetworkOption[];
  /** What plugins are told where the network is CNI's. */
  readonly cni?: CniContainerOptions;
  /** Ports of the host that lead to ports of it: `[[ADDRESS:]HOST-PORT:]PORT[/tcp|udp|sctp]`, also with ranges. */
  readonly publish?: readonly string[];
  /** Publish every port of EXPOSE and `expose` on a free port of the host. */
  readonly publishAll?: boolean;
  /** `PORT[/PROTOCOL]`, in addition to the image's EXPOSE. */
  readonly expose?: readonly string[];
  /** Lines of /etc/hosts: `NAME:ADDRESS`; the address `host-gateway` is the host. */
  readonly addHosts?: readonly string[];
  /** Name servers in place of the host's. */
  readonly dns?: readonly string[];
  readonly dnsSearch?: readonly string[];
  readonly dnsOptions?: readonly string[];
  /** What it may reach on its networks and beyond: `all` (default), `none`, or `allow=DOMAIN,CIDR,PORT…`, see `parseEgress`. */
  readonly egress?: readonly string[];
  /** `OS/ARCHITECTURE[/VARIANT]` of the image. */
  readonly platform?: string;
  readonly tty?: boolean;
  readonly openStdin?: boolean;
  /** Close stdin when the first client that attached it leaves. */
  readonly stdinOnce?: boolean;
  readonly autoRemove?: boolean;
  /** `no` (default), `always`, `unless-stopped`, `on-failure` or `on-failure:N`. */
  readonly restart?: string;
  /** In place of the image's health check, or parts of it. */
  readonly health?: HealthOptions;
  /** What is done when it becomes unhealthy: nothing by default. A killed one is restarted by its policy. */
  readonly healthOnFailure?: "none" | "kill" | "restart" | "stop";
  /** Containers that are started before it: `NAME`, `NAME:healthy` or `NAME:completed` (has ended with 0). */
  readonly dependsOn?: readonly string[];
  /** `none` keeps no log. */
  readonly logDriver?: "cri" | "none";
  /** Bytes after which a new file of the log is begun, or a text such as `10m`. */
  readonly logMaxSize?: number | string;
  /** Names of labels and of variables that `logs --details` prints. */
  readonly logLabels?: readonly string[];
  readonly logEnv?: readonly string[];
  /** How many files of the log are kept, 1 to 1000; 1 by default. */
  readonly logMaxFiles?: number;
  readonly stopSignal?: string;
  /** Seconds between the stop signal and SIGKILL; 10 by default. */
  readonly stopTimeout?: number;
  /** When to fetch the image: only when it is missing (default), always, or never. */
  readonly pull?: "missing" | "always" | "never";
  /** What front-ends keep with it, a text by each one's name (`cri`); nobody else looks at it. */
  readonly extensions?: Readonly<Record<string, string>>;
}

export interface ExecOptions {
  /** No events tell of it: a health check. */
  readonly quiet?: boolean;
  readonly command: readonly string[];
  readonly env?: readonly string[];
  readonly workdir?: string;
  readonly user?: string;
  readonly tty?: boolean;
  readonly openStdin?: boolean;
  /** Size of its terminal, in characters. */
  readonly consoleSize?: { readonly columns: number; readonly rows: number };
  readonly privileged?: boolean;
  /** False throws its output away (`exec -d`). */
  readonly output?: boolean;
}
