/** What a container is made from: the options of `run` and of the library, plain data that is kept with the container. */

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
  /** For a tmpfs: mount options such as `size=64m`, `mode=1777`, `noexec`. */
  readonly tmpfsOptions?: readonly string[];
  /** For an image: path in it of what is mounted, in place of all. */
  readonly subpath?: string;
  /** For a volume: don't copy what the image has at the target. */
  readonly noCopy?: boolean;
}

export interface DeviceOption {
  readonly hostPath: string;
  readonly path: string;
  /** Some of `r`, `w`, `m`. */
  readonly permissions: string;
}

export interface UlimitOption {
  /** Docker's names: `nofile`, `nproc`, `core` … */
  readonly name: string;
  /** -1 is unlimited. */
  readonly soft: number;
  readonly hard: number;
}

export interface ContainerOptions {
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
  /** `none` (default), `host`, or `container:NAME-OR-ID`. */
  readonly network?: string;
  /** `OS/ARCHITECTURE[/VARIANT]` of the image. */
  readonly platform?: string;
  readonly tty?: boolean;
  readonly openStdin?: boolean;
  /** Close stdin when the first client that attached it leaves. */
  readonly stdinOnce?: boolean;
  readonly autoRemove?: boolean;
  readonly stopSignal?: string;
  /** Seconds between the stop signal and SIGKILL; 10 by default. */
  readonly stopTimeout?: number;
  /** When to fetch the image: only when it is missing (default), always, or never. */
  readonly pull?: "missing" | "always" | "never";
}

export interface ExecOptions {
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
