/**
 * What a program does with containers, wherever they are: the embedded {@link Engine} and the client of a daemon both are a
 * `ContainerEngine`. What the embedded one answers at once, a client has to ask for: such methods give a value or a promise
 * of one, and `await` serves both.
 */
import type { ImageHistory, ImageSummary, LoadedImage, PullProgress, PushedImage, RemovedImage } from "#images";
import type { Attachment, AttachOptions, ExecSession } from "#keel";
import type { ExitStatus } from "#runtime";
import type { RemoveOptions, StartOptions, StopOptions } from "./container.ts";
import type { EngineEvent } from "./events/event.ts";
import type { EventFilters } from "./events/filter.ts";
import type { ReadOptions as EventOptions } from "./events/read-journal.ts";
import type { ContainerFilters } from "./lifecycle/container-filter.ts";
import type { ContainerSummary } from "./lifecycle/summary.ts";
import type { ProcessTable } from "./lifecycle/top.ts";
import type { UpdateOptions } from "./lifecycle/update.ts";
import type { WaitCondition } from "./lifecycle/wait.ts";
import type { ContainerDetails } from "./inspect.ts";
import type { LogEntry } from "./log-file.ts";
import type { LogOptions } from "./logs.ts";
import type { ContainerOptions, ExecOptions } from "./options.ts";

type MaybePromise<T> = T | Promise<T>;

export interface TransferOptions {
  /** As `os/architecture[/variant]`; the host's by default. */
  readonly platform?: string | undefined;
  /** Of a pull or push: the whole of an index, all its platforms. */
  readonly allPlatforms?: boolean | undefined;
  /** Of a push: what refers to the image, too. */
  readonly referrers?: boolean | undefined;
  readonly onProgress?: ((progress: PullProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An image that was pulled. */
export interface ImageReference {
  /** Canonical name. */
  readonly name: string;
  /** Digest of the configuration. */
  readonly id: string;
  /** Digest of what the name stands for. */
  readonly target: string;
}

/** One container: a handle that any number of processes may hold at once. Disposing of it kills and removes the container. */
export interface ContainerHandle extends AsyncDisposable {
  readonly id: string;
  readonly name: string;
  /** What it was made from. */
  readonly options: ContainerOptions;

  /** How it is now. */
  summary(): MaybePromise<ContainerSummary>;

  /** All that is known of it, in Docker's shape. */
  inspect(): MaybePromise<ContainerDetails>;

  /**
   * Starts it, also again after its end. Resolves when its command is executing.
   *
   * @returns the attachment that `attach` asked for
   * @throws SampanError with `command` in `fields` when its command was not found (ENOENT) or can't be run;
   * `failed-precondition` when it runs already
   */
  start(options: StartOptions & { readonly attach: NonNullable<StartOptions["attach"]> }): Promise<Attachment>;
  start(options?: StartOptions): Promise<Attachment | undefined>;

  /** Attaches to its output from now on, and to its stdin. */
  attach(options: AttachOptions): Promise<Attachment>;

  /** Runs another process in it. */
  exec(options: ExecOptions): Promise<ExecSession>;

  /** Resolves when it has ended; at once when it has already. An auto-removed container is then gone. */
  wait(options?: { readonly signal?: AbortSignal; readonly condition?: WaitCondition }): Promise<ExitStatus>;

  /** @param signal name with or without SIG, or number; KILL by default */
  kill(signal?: string): Promise<void>;

  /** Asks it to end, and kills it when it hasn't in time. Does nothing when it isn't running. */
  stop(options?: StopOptions): Promise<void>;

  /** {@link stop}, then {@link start}. One that does not run is started. */
  restart(options?: StopOptions): Promise<void>;

  /** Stops all its processes where they are. */
  pause(): Promise<void>;

  /** Lets a paused container go on. */
  unpause(): Promise<void>;

  /** @throws SampanError `already-exists` when another container has the name, `invalid-argument` when it can't be one */
  rename(name: string): MaybePromise<void>;

  /** Changes limits, also while it runs. Resolves with warnings. */
  update(options: UpdateOptions): Promise<readonly string[]>;

  /** @param options of the host's ps(1), such as `-o pid,comm` */
  top(options?: readonly string[]): Promise<ProcessTable>;

  /** Tells whoever follows events that a user has left its terminal. */
  noteDetached(): MaybePromise<void>;

  /** Entries of its log, oldest first; with `follow`, until it ends. */
  logs(options?: LogOptions): AsyncGenerator<LogEntry, void, void>;

  /**
   * Removes it with its writable layer and log.
   *
   * @throws SampanError `failed-precondition` while it runs, without `force`
   */
  remove(options?: RemoveOptions): Promise<void>;

  /** Removes it, or does nothing when somebody else has or is doing so. */
  removeIfThere(options?: RemoveOptions): Promise<void>;
}

/** Containers and images of one host. Disposing of it closes it; containers run on. */
export interface ContainerEngine extends AsyncDisposable {
  /**
   * Makes a container and does not start it. Fetches its image when that is missing.
   *
   * @throws SampanError `already-exists` when the name is taken, `invalid-argument` for options that can't be; nothing is
   * left of it then
   */
  create(options: ContainerOptions, pull?: TransferOptions): Promise<ContainerHandle>;

  /** {@link create} and start. When it can't be started, nothing is left of it. */
  run(
    image: string,
    command?: readonly string[],
    options?: Omit<ContainerOptions, "image" | "command">,
  ): Promise<ContainerHandle>;

  /** By name, id, or a beginning of the id. */
  get(nameOrId: string): MaybePromise<ContainerHandle>;

  /**
   * All containers, newest first.
   *
   * @param filters Docker's, e.g. `{ status: ["exited"] }`
   */
  list(filters?: ContainerFilters): MaybePromise<readonly ContainerSummary[]>;

  /** Bytes on disk of what a container has written, and with its image's layers. */
  containerSize(nameOrId: string): Promise<{ readonly written: number; readonly total: number }>;

  /**
   * What happens to containers, images, volumes and pods, whoever does it. Events come once and in order.
   *
   * @param options without `since` from this call on (not the first `next`), without `until` until the signal
   */
  events(options?: EventOptions & { readonly filters?: EventFilters }): AsyncGenerator<EngineEvent, void, void>;

  /** Removes a container by name or id. */
  remove(nameOrId: string, options?: RemoveOptions): Promise<void>;

  /** Fetches an image, or brings it up to date. */
  pull(reference: string, options?: TransferOptions): Promise<ImageReference>;

  /** Gives an image to the registry of its name. */
  push(reference: string, options?: TransferOptions): Promise<PushedImage>;

  /** @param filters as `reference=PATTERN`, `dangling=true`, `label=KEY[=VALUE]`, `before=IMAGE`, `since=IMAGE` */
  images(filters?: readonly string[]): MaybePromise<readonly ImageSummary[]>;

  /** All that is known of an image, in Docker's shape. */
  inspectImage(nameOrId: string, platform?: string): MaybePromise<object>;

  /** How an image came to be, layer by layer, the newest first. */
  imageHistory(nameOrId: string): MaybePromise<readonly ImageHistory[]>;

  /** Gives an image another name. */
  tagImage(nameOrId: string, name: string): MaybePromise<void>;

  /** Takes a name away, and with the last one the image. `force` also when containers were made from it. */
  removeImage(nameOrId: string, options?: { readonly force?: boolean }): Promise<RemovedImage>;

  /** Writes images as one archive; `sink` takes the bytes, one chunk at a time. */
  saveImages(
    names: readonly string[],
    sink: (data: Uint8Array) => Promise<void>,
    options?: TransferOptions,
  ): Promise<void>;

  /** Reads images from an archive. */
  loadImages(stream: AsyncIterable<Uint8Array>, options?: TransferOptions): Promise<readonly LoadedImage[]>;
}
