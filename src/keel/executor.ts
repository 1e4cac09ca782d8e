/**
 * The one interface to the kernel. Everything that needs privilege or a raw system call is an operation that an
 * executor runs; `KeelExecutor` has keel run it, `RecordingExecutor` only writes it down, for tests.
 */
import type { Operation, ReplyCreated, Request, RequestCreate } from "#plan";
import type { FileTree, TreeOptions } from "./file-tree.ts";

/** What only a container of an OCI runtime's command has: `orphan`, `consoleSocket`, `pidfdSocket`, … */
type OrphanOptions = Pick<
  RequestCreate,
  "orphan" | "consoleSocket" | "pidfdSocket" | "preserve" | "container" | "containerStart"
>;

/** What only a container of the engine has: records of what happens to it, and a log that is rotated. */
type JournalOptions = Pick<
  RequestCreate,
  "journal" | "startRecord" | "exitRecord" | "oomRecord" | "logMaxSize" | "logMaxFiles"
>;

type OptionalOptions = OrphanOptions & JournalOptions;

export type CreateOptions = Omit<RequestCreate, "kind" | keyof OptionalOptions> & Partial<OptionalOptions>;

/** What an option of those is when it is not given. */
export const createDefaults: OptionalOptions = {
  journal: "",
  startRecord: { before: "", after: "" },
  exitRecord: { before: "", after: "" },
  oomRecord: { before: "", after: "" },
  logMaxSize: 0n,
  logMaxFiles: 0,
  orphan: false,
  consoleSocket: "",
  pidfdSocket: "",
  preserve: 0,
  container: 0,
  containerStart: 0n,
};

export interface Executor extends AsyncDisposable {
  /**
   * Runs a program to its end in a process of its own. Not atomic: operations before a failed one have taken effect.
   *
   * @returns what `read-file` operations read, by their index in the program; a missing file has no entry
   * @throws SampanError with the failed operation in `fields` (`step` from 1, `syscall`, `errno`, `path`)
   */
  execute(program: readonly Operation[]): Promise<ReadonlyMap<number, Uint8Array>>;

  /**
   * Starts a monitor and runs a container's program up to `wait-start`. After a failure the exit program has been run
   * and no process is left. With `orphan` the monitor (0 in the answer) does not stay, and the container's process is a
   * child of the nearest subreaper when this resolves.
   *
   * @throws SampanError like {@link Executor.execute}
   */
  create(options: CreateOptions): Promise<ReplyCreated>;

  /** Opens a sink that makes the entries of one layer below `root`. Sinks are independent of each other. */
  openLayer(root: string, options: { readonly overlay: boolean }): Promise<LayerSink>;

  /**
   * Opens a tree of files for reading and writing, in a process of its own. Trees are independent of each other.
   *
   * @throws SampanError like {@link Executor.execute}
   */
  openTree(options: TreeOptions): Promise<FileTree>;
}

/** Entry of a layer, as keel makes it. Paths are relative to the layer's root. */
export type LayerEntry = Extract<
  Request,
  {
    kind:
      | "apply-directory"
      | "apply-file"
      | "apply-data"
      | "apply-end"
      | "apply-symlink"
      | "apply-hardlink"
      | "apply-node"
      | "apply-whiteout"
      | "apply-opaque";
  }
>;

export interface FinishOptions {
  /** Flush the filesystem first. */
  readonly sync: boolean;
  /**
   * Absolute paths that are removed once the filesystem is flushed. Nobody waits for that: keel does it after its answer, and
   * whether this process lives or not. Not for a tree's sink.
   */
  readonly marks?: readonly string[];
}

export interface LayerSink extends AsyncDisposable {
  /**
   * Sends one entry; they are made in order. Resolves when more can be sent (back-pressure), which is before the entry
   * is made: a failure shows in a later call or in `finish`.
   *
   * @throws SampanError naming the path that failed
   */
  write(entry: LayerEntry): Promise<void>;

  /** Waits until all entries are made, sets the directories' times, and ends the sink. */
  finish(options: FinishOptions): Promise<void>;

  /** Ends the sink without finishing; what was made so far stays on disk. Safe to call after `finish`. */
  [Symbol.asyncDispose](): Promise<void>;
}
