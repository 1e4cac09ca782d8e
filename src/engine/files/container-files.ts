/** What can be done with a container's files, while it runs and while it does not. */
import { archiveTree, type Note } from "#archive";
import type { Images } from "#images";
import type { Compression, Digest } from "#spec";
import type { EngineCore } from "../core.ts";
import { isPaused } from "../lifecycle/freeze.ts";
import type { ContainerRecord } from "../records.ts";
import { containerChanges, type FileChange } from "./changes.ts";
import { committedConfig } from "./committed-config.ts";
import { copyFiles, type CopyOptions, type CopyPlace, type CopyResult } from "./copy.ts";
import { layerEvents } from "./layer-events.ts";
import { holdContainer, openContainerTree, openLayers, type HeldContainer } from "./trees.ts";

export interface ExportOptions {
  readonly signal?: AbortSignal | undefined;
  /** Of what the archive has not as it is: sockets, and files that became shorter meanwhile. */
  readonly onNote?: ((path: string, note: Note) => void) | undefined;
}

export interface CommitOptions {
  /** What the image is called, in place of what had the name before; without one it dangles. */
  readonly name?: string | undefined;
  readonly author?: string | undefined;
  /** Comment of the image's history. */
  readonly message?: string | undefined;
  /** Instructions such as `CMD ["sh"]`. */
  readonly changes?: readonly string[] | undefined;
  /** Stop a running container meanwhile, so that its files fit together (default). */
  readonly pause?: boolean | undefined;
  /** Of the new layer; gzip by default, which all know. */
  readonly compression?: Compression | undefined;
  /** Milliseconds since the epoch that the image is from, and no file is later than: the same files give the same image. */
  readonly epoch?: number | undefined;
  readonly onNote?: ((path: string, note: Note | "reserved") => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Holes of a layer are zeros below this, since not every program gives a layer with holes on as it got it. */
const layerHoles = 64 * 1024 * 1024;

export class ContainerFiles {
  readonly #core: EngineCore;
  readonly #images: Images;

  constructor(core: EngineCore, images: Images) {
    this.#core = core;
    this.#images = images;
  }

  /**
   * What a container has changed in its root, sorted by path. Volumes are no part of it.
   *
   * @throws SampanError `not-found`; `failed-precondition` while another process works on the container
   */
  async diff(nameOrId: string): Promise<readonly FileChange[]> {
    using held = this.#hold(nameOrId);
    await using layers = await openLayers(this.#core, held);
    return await containerChanges(layers, () => openContainerTree(this.#core, held, "root"));
  }

  /**
   * The container's whole root as a tar archive, as it is read. Volumes are no part of it.
   *
   * @throws SampanError like {@link diff}
   */
  async *export(nameOrId: string, options: ExportOptions = {}): AsyncGenerator<Uint8Array, void, void> {
    using held = this.#hold(nameOrId);
    await using tree = await openContainerTree(this.#core, held, "root");
    for await (const chunk of archiveTree(tree.walk("/", { content: true }), { onNote: options.onNote })) {
      options.signal?.throwIfAborted();
      yield chunk;
    }
  }

  /**
   * Makes an image of a container: its image's layers and one more, of what it has changed.
   *
   * @returns the image's id
   * @throws SampanError like {@link diff}; `invalid-argument` for changes that are none, `not-found` when the container's image
   * is gone; no image is left then
   */
  async commit(nameOrId: string, options: CommitOptions = {}): Promise<Digest> {
    const { epoch, onNote, compression = "gzip", signal = new AbortController().signal } = options;
    using held = this.#hold(nameOrId);
    const { record } = held;
    const base = this.#images.resolve(record.imageId);
    const configText = committedConfig({
      base: this.#images.configText(base.id),
      record,
      changes: options.changes ?? [],
      author: options.author,
      message: options.message,
      created: epoch ?? Date.now(),
    });
    const freeze = options.pause === false ? undefined : this.#freezer(held);
    await using layers = await openLayers(this.#core, held, freeze);
    const events = layerEvents(
      layers,
      () => openContainerTree(this.#core, held, "root"),
      (path) => onNote?.(path, "reserved"),
    );
    const latest = epoch === undefined ? undefined : BigInt(Math.floor(epoch / 1000));
    const tar = archiveTree(events, { sparseFrom: layerHoles, latest, onNote });
    const action = `commit container "${record.name}"`;
    return await this.#images.assemble({ action, base, tar, compression, configText, signal }, options.name);
  }

  /**
   * Copies files between a container and this machine, or as an archive, by Docker's rules.
   *
   * @throws SampanError that names what cannot be read or written
   */
  async copy(from: CopyPlace, to: CopyPlace, options: CopyOptions = {}): Promise<CopyResult> {
    return await copyFiles(from, to, options, {
      executor: this.#core.executor,
      hold: (nameOrId) => this.#hold(nameOrId),
      open: (held) => openContainerTree(this.#core, held, "all"),
    });
  }

  #hold(nameOrId: string): HeldContainer {
    return holdContainer(this.#core, this.#find(nameOrId));
  }

  #find(nameOrId: string): ContainerRecord {
    return this.#core.records.find(nameOrId);
  }

  /** The cgroup that stops a container; undefined when it does not run, is stopped already, or there is none for that. */
  #freezer({ record, pid }: HeldContainer): string | undefined {
    if (pid === undefined) return undefined;
    if (isPaused(this.#core, record)) return undefined;
    const paths = this.#core.cgroups(record);
    return paths.get("") ?? paths.get("freezer");
  }
}
