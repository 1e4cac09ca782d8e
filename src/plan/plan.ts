import type { SeccompProfile } from "#spec";
import type { CurrentLimits } from "./cgroup/current-limits.ts";
import type { FoundCgroup } from "./cgroup/place.ts";
import type { Architecture } from "./host-facts.ts";
import type { MountParameter, Operation } from "./operation.gen.ts";
import type { CompiledSeccomp } from "./seccomp/compile.ts";

/** One step of a plan: what keel does, and why, in one sentence for a newcomer. */
export interface Step {
  readonly operation: Operation;
  readonly why: string;
  /** Where that is written, e.g. `runtime-spec config-linux.md#namespaces` or `user_namespaces(7)`. */
  readonly source?: string;
  /** JSON path of the part of the config that asks for it, e.g. `mounts[3]`, to tell of a failure. */
  readonly config?: string;
}

/** A program for keel, in the order of execution. */
export interface Program {
  readonly steps: readonly Step[];
  /** What was asked for and left out, and why that is no error: one sentence each. */
  readonly warnings: readonly string[];
}

/** A container, compiled. */
export interface Plan extends Program {
  /** What removes the container's cgroups after its end; also right after a failed create. */
  readonly exit: readonly Operation[];
  /** File that tells of OOM kills, for `create`; empty when there is no memory controller. */
  readonly oomFile: string;
  /**
   * Controller → the container's cgroup directory. On v2 each available controller has the same directory, and so has
   * the empty name, which is always there on v2.
   */
  readonly cgroupPaths: ReadonlyMap<string, string>;
}

/** Where the root filesystem comes from; `root.path` of the config is not used. */
export type RootSource =
  | {
      readonly kind: "overlay";
      /** Read-only layers, top first. */
      readonly lower: readonly string[];
      /** Writable directory; empty for a read-only root. */
      readonly upper: string;
      readonly work: string;
      /** Existing host directory to attach it to. */
      readonly target: string;
      readonly parameters?: readonly MountParameter[];
    }
  | { readonly kind: "bind"; readonly path: string };

/** Content of an image's directory that a fresh volume takes over. */
export interface CopyUp {
  /** Path in the root. */
  readonly path: string;
  /** Empty host directory that will be bound to it. */
  readonly directory: string;
}

/** What a mount of type `image` shows. */
export interface ImageMount {
  /** Read-only layers, absolute host directories, top first. */
  readonly lower: readonly string[];
  /** Path in them of what is mounted; empty for all. */
  readonly subpath: string;
}

/** A read-only file in the container that is in memory only. */
export interface MemoryFile {
  /** Path in the root. */
  readonly path: string;
  readonly data: Uint8Array;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Turns a profile into a classic BPF program. */
export type CompileSeccomp = (profile: SeccompProfile, architecture: Architecture) => CompiledSeccomp;

export interface ProcessOptions {
  /** The container's id; the last component of its cgroup's path when undefined. */
  readonly id?: string;
  /** Name of the session keyring; without it the process gets no keyring of its own. */
  readonly keyring?: string;
  /** Run the program below keel as pid 1, which reaps (`--init`). */
  readonly init?: boolean;
  /** Signal for the process when its monitor dies, e.g. 9; none when undefined. */
  readonly parentDeathSignal?: number;
  /** In place of Sampan's own compiler, so that the caller can cache by profile. */
  readonly compileSeccomp?: CompileSeccomp;
}

/** runtime-spec runtime.md#state */
export type ContainerStatus = "creating" | "created" | "running" | "stopped";

export interface PlanOptions extends ProcessOptions {
  readonly root: RootSource;
  /** Path of the container's cgroups in each hierarchy, e.g. `/sampan/ID`. */
  readonly cgroupPath: string;
  /** Where `cgroupPath` starts in each hierarchy (controller → directory, the empty name on v2), not at its top. */
  readonly cgroupBase?: ReadonlyMap<string, string>;
  /** Those of the container's cgroup directories that are there already; they outlive the container. */
  readonly cgroupFound?: ReadonlyMap<string, FoundCgroup>;
  /** What those say now, where there are any. */
  readonly cgroupLimits?: CurrentLimits;
  /** Absolute directory that relative sources of bind mounts start from. */
  readonly bundle?: string;
  /** Do without pivot_root(2), for hosts whose root is a ramdisk. Less is kept from the container. */
  readonly noPivot?: boolean;
  readonly copyUps?: readonly CopyUp[];
  /** By the destination of each of the config's mounts whose type is `image`. */
  readonly imageMounts?: ReadonlyMap<string, ImageMount>;
  /** Secrets and the like: they are on no disk. */
  readonly memoryFiles?: readonly MemoryFile[];
  /** Host directory in which the container waits at `start.sock` for its start, when its monitor does not stay. */
  readonly startDirectory?: string;
  /**
   * The state that the config's hooks get on stdin, and the agent of a seccomp profile, as the texts before and after the
   * pid of the container's process. Without it no hooks are planned.
   */
  readonly hookState?: (status: ContainerStatus) => readonly [before: string, after: string];
}
