/**
 * The engine: images and containers on this host, as a library. It needs no daemon; any number of processes may use one
 * root directory at once.
 *
 * ```ts
 * await using engine = await Engine.open();
 * await using container = await engine.run("localhost/node", ["-p", "6*7"], { memory: "256MiB" });
 * const { status } = await container.wait();
 * for await (const entry of container.logs()) console.log(Buffer.from(entry.text).toString());
 * ```
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { isSampanError, permissionDenied } from "#errdefs";
import { probeHost } from "#host";
import {
  defaultNamespace,
  Images,
  type Database,
  type ImageHistory,
  type ImageSummary,
  type LoadedImage,
  type PulledImage,
  type PushedImage,
  type RemovedImage,
  type ResolvedImage,
} from "#images";
import { ContentStore } from "#content";
import { KeelExecutor } from "#keel";
import { type HostFacts, type Plan } from "#plan";
import { dockerCredentials } from "#remotes";
import { Runtime } from "#runtime";
import type { RootSource } from "#snapshots";
import { Container, type RemoveOptions } from "./container.ts";
import { chooseSnapshotter } from "./choose-snapshotter.ts";
import { asChainId, EngineCore } from "./core.ts";
import { inspectImage } from "./image-details.ts";
import type { EngineOptions, PullOptions } from "./engine-options.ts";
import type { ContainerEngine, TransferOptions } from "./interface.ts";
import { Handlers } from "./handlers/handlers.ts";
import { Housekeeping } from "./housekeeping/housekeeping.ts";
import { openBook } from "./housekeeping/open-book.ts";
import { writeRecord } from "./housekeeping/record-file.ts";
import { checkNamespace, makeNamespaceDirectory, Namespaces } from "./namespaces.ts";
import { containerEvent } from "./events/container-event.ts";
import type { EngineEvent } from "./events/event.ts";
import { eventFilter, type EventFilters } from "./events/filter.ts";
import { Journal } from "./events/journal.ts";
import { readEvents, type ReadOptions } from "./events/read-journal.ts";
import { containerFilter, type ContainerFilters } from "./lifecycle/container-filter.ts";
import { withDescendants } from "./lifecycle/descendants.ts";
import { containerSize, containerSummary, type ContainerSummary } from "./lifecycle/summary.ts";
import { ContainerFiles } from "./files/container-files.ts";
import { ImageMountRecords } from "./image-mount-records.ts";
import { ImageMounts } from "./image-mounts.ts";
import { randomName } from "./names.ts";
import { containerNetworks } from "./network/details.ts";
import { EngineCni } from "./network/cni-api.ts";
import { cniPaths } from "./network/cni-settings.ts";
import { EngineNetworks } from "./network/api.ts";
import type { ContainerOptions } from "./options.ts";
import { ownCommand, removeCommand } from "./own-command.ts";
import { cgroupParent, enginePaths, namespaceName } from "./paths.ts";
import { resolveContainer } from "./resolve-container.ts";
import { PodBook } from "./pods/pod-book.ts";
import { Pods } from "./pods/pods.ts";
import { Records, type ContainerRecord } from "./records.ts";
import { secretFiles, SecretStore } from "./secrets/secrets.ts";
import type { ContainerStats } from "./stats/container-stats.ts";
import type { Measurements } from "./stats/measurements.ts";
import type { StatsOptions } from "./stats/watch-stats.ts";
import { SupervisionBook } from "./supervise/book.ts";
import { ensureSupervisor } from "./supervise/spawn.ts";
import type { SuperviseOptions } from "./supervise/supervisor.ts";
import { Volumes } from "./volumes/volumes.ts";

/** How often an image may be removed before a container is made of it. */
const createAttempts = 3;

export class Engine implements ContainerEngine {
  readonly #core: EngineCore;
  readonly #images: Images;
  readonly #database: Database;
  readonly #shared: Database;
  #housekeeping: Housekeeping | undefined;
  /** What was found again of a damaged database, a line each, for people. */
  recovered: readonly string[] = [];
  /** Diff, export, commit, and copies in and out. */
  readonly files: ContainerFiles;
  /** Images whose files are to be seen in directories here. */
  readonly imageMounts: ImageMounts;

  private constructor(core: EngineCore, images: Images, database: Database, shared: Database, mounts: ImageMounts) {
    this.imageMounts = mounts;
    this.files = new ContainerFiles(core, images);
    this.#core = core;
    this.#images = images;
    this.#database = database;
    this.#shared = shared;
  }

  /** Namespaces of the root directory. */
  get namespaces(): Namespaces {
    return new Namespaces(this.#shared, this.#core.paths.root);
  }

  /** What takes space, what can go, and whether all is well. */
  get housekeeping(): Housekeeping {
    const { paths, records } = this.#core;
    return (this.#housekeeping ??= new Housekeeping({
      core: this.#core,
      images: this.#images,
      database: this.#database,
      shared: this.#shared,
      paths,
      records,
    }));
  }

  /**
   * Opens the root directory, made when missing, and finishes what a process that died there had begun. Starts no process.
   *
   * @throws SampanError `permission-denied` without root, `unsupported` on a host that can't run containers
   */
  static async open(options: EngineOptions = {}): Promise<Engine> {
    const namespace = namespaceName(options.namespace);
    if (namespace !== defaultNamespace) checkNamespace(namespace);
    const paths = enginePaths(options.root, options.state, namespace);
    const facts = probeHost();
    if (facts.uid !== 0)
      throw permissionDenied(`Cannot open "${paths.root}": containers need root`, {
        path: paths.root,
        remedy: "Run as root (sudo sampan …), and see sampan doctor",
      });
    mkdirSync(paths.root, { recursive: true, mode: 0o711 });
    const executor = new KeelExecutor();
    const onDamage = options.onDamage ?? "refuse";
    const readOnly = options.readOnly ?? false;
    const sharedBook = openBook(paths.shared, onDamage, readOnly);
    const shared = sharedBook.database;
    if (namespace !== defaultNamespace && !readOnly) {
      new Namespaces(shared, paths.root).ensure(namespace);
      makeNamespaceDirectory(paths.database);
    }
    const ownBook = namespace === defaultNamespace ? sharedBook : openBook(paths.database, onDamage, readOnly);
    const { database } = ownBook;
    const records = new Records(database, (record) => writeRecord(paths, record));
    const mountRecords = new ImageMountRecords(shared);
    const snapshotter = await chooseSnapshotter(paths.root, executor);
    const images = new Images({
      database: shared,
      namespace,
      content: ContentStore.open(paths.root),
      snapshotter,
      executor,
      ...(options.threadsFrom !== undefined && { threadsFrom: options.threadsFrom }),
      inUse: (key) => [
        ...records.usersOf(key).map((name) => `container ${name}`),
        ...mountRecords.usersOf(key).map((target) => `the mount on ${target}`),
      ],
      registry: { credentials: dockerCredentials(), ...options.registry },
      ...(options.imageLimits !== undefined && { limits: options.imageLimits }),
      ...(options.parallelLayers !== undefined && { parallel: options.parallelLayers }),
    });
    const runtime = new Runtime({ executor, facts, stateRoot: paths.state, cacheDirectory: `${paths.cache}/seccomp` });
    const journal = new Journal(
      join(paths.state, "..", namespace === defaultNamespace ? "events" : `events-${namespace}`),
      database,
    );
    const core = new EngineCore({
      paths,
      journal,
      volumes: new Volumes({ database, executor, journal, directory: paths.volumes }),
      secrets: new SecretStore(paths.state),
      handlers: new Handlers(
        async () => (typeof options.runtimes === "function" ? await options.runtimes() : (options.runtimes ?? {})),
        join(paths.state, "..", "runtimes"),
      ),
      pods: new PodBook(database, join(paths.state, "..", "pods")),
      supervision: new SupervisionBook(database),
      cniPaths: cniPaths(options.cni),
      superviseCommand: () => (options.background === false ? [] : ownCommand(paths, ["supervise"])),
      facts,
      executor,
      database,
      sharedDatabase: shared,
      runtime,
      records,
      snapshotter,
      cgroupParent: cgroupParent(options.cgroupParent),
      removeCommand: (id) => removeCommand(paths, id),
    });
    const engine = new Engine(core, images, database, shared, new ImageMounts(core, images, mountRecords));
    if (sharedBook.aside !== undefined || ownBook.aside !== undefined) {
      const { restoreBooks } = await import("./housekeeping/restore-books.ts");
      engine.recovered = await restoreBooks(sharedBook, ownBook, {
        images,
        records,
        paths,
        isAlive: (id) => core.pods.isMade(id) || ["running", "created"].includes(runtime.state(id).status),
      });
    }
    if (!readOnly) {
      await images.recover();
      await engine.#recover();
      ensureSupervisor(core);
    }
    return engine;
  }

  /** Other runtimes. */
  get handlers(): Handlers {
    return this.#core.handlers;
  }

  get facts(): HostFacts {
    return this.#core.facts;
  }

  /** Finishes what processes that have died were doing: half-made containers go, half-removed ones too. */
  async #recover(): Promise<void> {
    for (const { record, purpose } of this.#core.records.abandoned()) {
      const container = new Container(this.#core, record);
      if (purpose === "create" || purpose === "remove") await container.removeIfThere({ force: true, volumes: true });
      else {
        try {
          this.#core.records.claim(record.id, "use");
          // It was made, or is being made, but never let go: nobody will start it any more.
          if (purpose === "start") await this.#core.undoStart(record);
          this.#core.records.release(record.id);
        } catch (error) {
          if (!isSampanError(error)) throw error;
        }
      }
    }
  }

  /**
   * Looks after the containers of this root until the signal: restart policies, health checks. One process on a root does so;
   * resolves at once when another one does and is not to be replaced. Removes what processes that were killed left of layers
   * and snapshots.
   */
  async supervise(options: SuperviseOptions = {}): Promise<void> {
    const { Supervisor } = await import("./supervise/supervisor.ts");
    const cleanup = this.#core.snapshotter.cleanup().catch((error: unknown) => options.onError?.(error, ""));
    const networks = this.#recoverCni().catch((error: unknown) => options.onError?.(error, ""));
    await new Supervisor(this.#core, options).run();
    await cleanup;
    await networks;
  }

  /** Takes containers that are gone from CNI's networks. */
  async #recoverCni(): Promise<void> {
    if (this.#core.cniBook.all().length > 0) await (await this.#core.cniNetworking()).cni.recover();
  }

  /** Fetches an image, or brings it up to date. */
  async pull(reference: string, options: PullOptions = {}): Promise<PulledImage> {
    return this.#images.pull(reference, options);
  }

  /** Groups of containers that share namespaces, a network and limits. */
  get pods(): Pods {
    return new Pods(this.#core);
  }

  /** Directories that outlive containers. */
  get volumes(): Volumes {
    return this.#core.volumes;
  }

  /** Networks, and which containers are on them. */
  get networks(): EngineNetworks {
    return new EngineNetworks(this.#core);
  }

  /** Networks that CNI's plugins make: whether they are ready, and what is left of them. */
  get cni(): EngineCni {
    return new EngineCni(this.#core);
  }

  /** All that can be done with images: push, tag, save, load and so on. */
  get imageStore(): Images {
    return this.#images;
  }

  /** @param filters as `Images.list` has them */
  images(filters: readonly string[] = []): readonly ImageSummary[] {
    return this.#images.list(filters);
  }

  async push(reference: string, options: PullOptions = {}): Promise<PushedImage> {
    return this.#images.push(reference, options);
  }

  inspectImage(nameOrId: string, platform?: string): object {
    const image = this.image(nameOrId, platform);
    return inspectImage(image, this.#images.names(image));
  }

  imageHistory(nameOrId: string): readonly ImageHistory[] {
    return this.#images.history(this.image(nameOrId));
  }

  tagImage(nameOrId: string, name: string): void {
    this.#images.tag(nameOrId, name);
  }

  async saveImages(
    names: readonly string[],
    sink: (data: Uint8Array) => Promise<void>,
    options: TransferOptions = {},
  ): Promise<void> {
    await this.#images.save(names, sink, options);
  }

  async loadImages(stream: AsyncIterable<Uint8Array>, options: TransferOptions = {}): Promise<readonly LoadedImage[]> {
    return this.#images.load(stream, options);
  }

  /** An image on this machine, by name or id. */
  image(nameOrId: string, platform?: string): ResolvedImage {
    return this.#images.resolve(nameOrId, platform);
  }

  /** Takes a name away, and with the last one the image. `force` also when containers were made from it. */
  async removeImage(nameOrId: string, options: { readonly force?: boolean } = {}): Promise<RemovedImage> {
    return this.#images.remove(nameOrId, options);
  }

  /**
   * Makes a container and does not start it. Fetches its image when that is missing.
   *
   * @throws SampanError `already-exists` when the name is taken, `invalid-argument` for options that can't be; nothing is
   * left of it then
   */
  async create(options: ContainerOptions, pull: PullOptions = {}): Promise<Container> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#create(options, pull);
      } catch (error) {
        // Another process removes the image just now: it is looked for again, and fetched when it has gone.
        if (attempt === createAttempts || !isSampanError(error, "not-found")) throw error;
        if (!/^sha(256|512):/.test(error.fields.path ?? "")) throw error;
      }
    }
  }

  async #create(options: ContainerOptions, pull: PullOptions): Promise<Container> {
    const record = await resolveContainer(this.#core, this.#images, options, pull);
    const container = new Container(this.#core, record);
    // Options that can't be compiled are refused before anything is made.
    this.#core.config(record, this.#core.sharedNetwork(record));
    if (record.resolved.images?.some(({ subpath }) => subpath !== "") === true) {
      const { checkImageMounts } = await import("./check-image-mounts.ts");
      await checkImageMounts(this.#core, record);
    }
    this.#insert(record);
    try {
      this.#core.secrets.keep(record.id, options.secrets ?? []);
      await this.#core.furnish(record);
    } catch (error) {
      await this.#core.discard(record, true).catch(() => undefined);
      throw error;
    } finally {
      this.#core.records.release(record.id);
    }
    containerEvent(this.#core, record, "create");
    return container;
  }

  #insert(record: ContainerRecord): void {
    for (let attempt = 0; ; attempt += 1) {
      try {
        this.#core.records.insert(record);
        return;
      } catch (error) {
        if (record.options.name !== undefined || attempt > 20 || !isSampanError(error, "already-exists")) throw error;
        (record as { name: string }).name = randomName(attempt);
      }
    }
  }

  /** {@link create} and start. When it can't be started, nothing is left of it. */
  async run(
    image: string,
    command: readonly string[] = [],
    options: Omit<ContainerOptions, "image" | "command"> = {},
  ): Promise<Container> {
    const container = await this.create({ ...options, image, ...(command.length === 0 ? {} : { command }) });
    try {
      await container.start();
      return container;
    } catch (error) {
      await container.removeIfThere({ force: true, volumes: true });
      throw error;
    }
  }

  /** By name, id, or a beginning of the id. */
  get(nameOrId: string): Container {
    return new Container(this.#core, this.#core.records.find(nameOrId));
  }

  /**
   * Handles of all containers, newest first: without a look at how they are.
   *
   * @param pod id of the pod whose containers are wanted
   */
  containers(pod?: string): readonly Container[] {
    const { records } = this.#core;
    return (pod === undefined ? records.list() : records.ofPod(pod)).map((record) => new Container(this.#core, record));
  }

  /**
   * All containers, newest first.
   *
   * @param filters Docker's
   */
  list(filters: ContainerFilters = {}): ContainerSummary[] {
    const wanted = containerFilter(filters, {
      image: (name) => withDescendants(this.#images, name),
      createdAt: (name) => this.#core.records.find(name).createdAt,
    });
    const networks = containerNetworks(this.#core);
    return this.#core.records
      .list()
      .map((record) => containerSummary(this.#core, record, networks))
      .filter(wanted);
  }

  /** Bytes on disk of what a container has written, and with its image's layers. */
  async containerSize(id: string): Promise<{ readonly written: number; readonly total: number }> {
    return containerSize(this.#core, id);
  }

  /**
   * What happens to containers, images, volumes and pods, whoever does it: other processes on this root too, and also when no
   * engine is open. Events come once and in order; those that are missed between two calls are had with `since`.
   *
   * @param options without `since` from this call on (not the first `next`), without `until` until the signal
   */
  events(options: ReadOptions & { readonly filters?: EventFilters } = {}): AsyncGenerator<EngineEvent, void, void> {
    return readEvents(this.#core.journal, eventFilter(options.filters ?? {}), options);
  }

  /** What single containers and pods use at this moment. */
  async measurements(): Promise<Measurements> {
    const { Measurements } = await import("./stats/measurements.ts");
    return new Measurements(this.#core);
  }

  /** What containers use, all in one list a second or as `interval` says; see {@link watchStats}. */
  async *stats(options: StatsOptions = {}): AsyncGenerator<readonly ContainerStats[], void, void> {
    const { watchStats } = await import("./stats/watch-stats.ts");
    yield* watchStats(this.#core, options);
  }

  /** The plan of a container that is not made: what keel would do, step by step. */
  async explain(options: ContainerOptions, pull: PullOptions = {}): Promise<Plan> {
    const record = await resolveContainer(this.#core, this.#images, options, pull);
    return this.#core.runtime.plan(this.#core.config(record, this.#core.sharedNetwork(record)), {
      ...this.#core.planOptions(record, await this.#imagined(record)),
      imageMounts: await this.#core.imageMounts(record),
      memoryFiles: secretFiles(options.secrets ?? []),
    });
  }

  /** The root source that a container would have. */
  async #imagined(record: ContainerRecord): Promise<RootSource> {
    const { chainId } = record.resolved;
    const directory = join(this.#core.paths.root, "snapshots", record.id);
    const view = chainId === undefined ? undefined : await this.#core.snapshotter.view(asChainId(chainId));
    if (view?.kind === "directory") return { kind: "directory", path: directory };
    return { kind: "overlay", lower: view?.lower ?? [], upper: join(directory, "fs"), work: join(directory, "work") };
  }

  /** Removes a container by name or id. */
  async remove(nameOrId: string, options: RemoveOptions = {}): Promise<void> {
    await this.get(nameOrId).remove(options);
  }

  /** Ends keel's server and closes the book. Containers run on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#images[Symbol.dispose]();
    await this.#core.executor[Symbol.asyncDispose]();
    this.#database[Symbol.dispose]();
    this.#shared[Symbol.dispose]();
  }
}
