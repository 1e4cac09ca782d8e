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
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { alreadyExists, invalidArgument, isSampanError, permissionDenied } from "#errdefs";
import { probeHost } from "#host";
import {
  defaultLimits,
  Images,
  openDatabase,
  type ImageHistory,
  type ImageSummary,
  type LayerLimits,
  type LoadedImage,
  type PulledImage,
  type PushedImage,
  type RemovedImage,
  type ResolvedImage,
} from "#images";
import { ContentStore } from "#content";
import { KeelExecutor } from "#keel";
import type { HostFacts, Plan } from "#plan";
import { dockerCredentials, type CredentialSource, type RegistryOptions } from "#remotes";
import { Runtime } from "#runtime";
import { OverlaySnapshotter, type RootSource } from "#snapshots";
import { Container, type RemoveOptions } from "./container.ts";
import { asChainId, EngineCore } from "./core.ts";
import { inspectImage } from "./image-details.ts";
import type { ContainerEngine, TransferOptions } from "./interface.ts";
import { checkName, newId, randomName } from "./names.ts";
import type { ContainerOptions } from "./options.ts";
import { resolveGroups } from "./passwd.ts";
import { cgroupParent, enginePaths, type EnginePaths } from "./paths.ts";
import { parseSignal, processArguments, processEnvironment } from "./process-config.ts";
import { Records, type ContainerRecord, type ResolvedContainer } from "./records.ts";
import { checkTarget, containerHostname } from "./runtime-config.ts";
import { summarize, type ContainerSummary } from "./summary.ts";

export interface EngineOptions {
  /** Where images and containers are kept; `SAMPAN_ROOT` or /var/lib/sampan by default. */
  readonly root?: string;
  /** Where the state of running containers is kept; `SAMPAN_STATE` or /run/sampan by default. */
  readonly state?: string;
  /** Path of all containers' cgroups in each hierarchy; `SAMPAN_CGROUP_PARENT` or /sampan by default. */
  readonly cgroupParent?: string;
  /** How registries are talked to: mirrors, limits and so on. Credentials are those of Docker's config.json by default. */
  readonly registry?: RegistryOptions;
  /** Layers of an image that are fetched and unpacked at once, 4 by default. */
  readonly parallelLayers?: number;
  /** What a layer may unpack to. */
  readonly layerLimits?: Partial<LayerLimits>;
}

/** Of a pull by the embedded engine. */
export interface PullOptions extends TransferOptions {
  /** In place of those of Docker's configuration file. */
  readonly credentials?: CredentialSource | undefined;
}

export class Engine implements ContainerEngine {
  readonly #core: EngineCore;
  readonly #images: Images;
  readonly #database: Disposable;

  private constructor(core: EngineCore, images: Images, database: Disposable) {
    this.#core = core;
    this.#images = images;
    this.#database = database;
  }

  /**
   * Opens the root directory, made when missing, and finishes what a process that died there had begun. Starts no process.
   *
   * @throws SampanError `permission-denied` without root, `unsupported` on a host that can't run containers
   */
  static async open(options: EngineOptions = {}): Promise<Engine> {
    const paths = enginePaths(options.root, options.state);
    const facts = probeHost();
    if (facts.uid !== 0)
      throw permissionDenied(`Cannot open "${paths.root}": containers need root`, {
        path: paths.root,
        remedy: "Run as root (sudo sampan …), and see sampan doctor",
      });
    mkdirSync(paths.root, { recursive: true, mode: 0o711 });
    const executor = new KeelExecutor();
    const database = openDatabase(paths.database);
    const records = new Records(database);
    const snapshotter = new OverlaySnapshotter(join(paths.root, "snapshots"), executor);
    const images = new Images({
      database,
      content: ContentStore.open(paths.root),
      snapshotter,
      executor,
      inUse: (key) => records.usersOf(key),
      registry: { credentials: dockerCredentials(), ...options.registry },
      limits: { ...defaultLimits, ...options.layerLimits },
      ...(options.parallelLayers !== undefined && { parallel: options.parallelLayers }),
    });
    const runtime = new Runtime({ executor, facts, stateRoot: paths.state, cacheDirectory: `${paths.cache}/seccomp` });
    const core = new EngineCore({
      paths,
      facts,
      executor,
      runtime,
      records,
      snapshotter,
      cgroupParent: cgroupParent(options.cgroupParent),
      removeCommand: (id) => removeCommand(paths, id),
    });
    const engine = new Engine(core, images, database);
    await engine.#recover();
    return engine;
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

  /** Fetches an image, or brings it up to date. */
  async pull(reference: string, options: PullOptions = {}): Promise<PulledImage> {
    return this.#images.pull(reference, options);
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

  /** The image of a container, fetched when it is missing. */
  async #obtain(options: ContainerOptions, pull: PullOptions): Promise<ResolvedImage> {
    const platform = options.platform;
    const fetch = (): Promise<ResolvedImage> =>
      this.#images.pull(options.image, platform === undefined ? pull : { ...pull, platform });
    if (options.pull === "always") return fetch();
    try {
      return this.#images.resolve(options.image, platform);
    } catch (error) {
      if (!isSampanError(error, "not-found") || options.pull === "never") throw error;
    }
    return fetch();
  }

  /**
   * Makes a container and does not start it. Fetches its image when that is missing.
   *
   * @throws SampanError `already-exists` when the name is taken, `invalid-argument` for options that can't be; nothing is
   * left of it then
   */
  async create(options: ContainerOptions, pull: PullOptions = {}): Promise<Container> {
    const record = await this.#makeRecord(options, pull);
    const container = new Container(this.#core, record);
    // Options that can't be compiled are refused before anything is made.
    this.#core.config(record, this.#core.sharedNetwork(record));
    this.#insert(record);
    try {
      await this.#core.furnish(record);
    } catch (error) {
      await this.#core.discard(record, true).catch(() => undefined);
      throw error;
    } finally {
      this.#core.records.release(record.id);
    }
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

  /** All containers, newest first. */
  list(): ContainerSummary[] {
    return this.#core.records.list().map((record) => summarize(record, this.#core.runtime.state(record.id)));
  }

  /** The plan of a container that is not made: what keel would do, step by step. */
  async explain(options: ContainerOptions, pull: PullOptions = {}): Promise<Plan> {
    const record = await this.#makeRecord(options, pull);
    return this.#core.runtime.plan(
      this.#core.config(record, this.#core.sharedNetwork(record)),
      this.#core.planOptions(record, await this.#imagined(record)),
    );
  }

  /** The root source that a container would have. */
  async #imagined(record: ContainerRecord): Promise<RootSource> {
    const { chainId } = record.resolved;
    const directory = join(this.#core.paths.root, "snapshots", record.id);
    const view = chainId === undefined ? undefined : await this.#core.snapshotter.view(asChainId(chainId));
    if (view?.kind === "directory") return { kind: "directory", path: directory };
    return { kind: "overlay", lower: view?.lower ?? [], upper: join(directory, "fs"), work: join(directory, "work") };
  }

  async #makeRecord(options: ContainerOptions, pull: PullOptions): Promise<ContainerRecord> {
    if (options.name !== undefined) {
      checkName(options.name);
      const holder = this.#core.records.findName(options.name);
      if (holder !== undefined)
        throw alreadyExists(`Cannot use name "${options.name}": container ${holder.slice(0, 12)} has it`, {
          remedy: "Remove that container or take another name",
        });
    }
    const image = await this.#obtain(options, pull);
    const { config } = image.config;
    const args = processArguments(options, config);
    const id = newId();
    const user = await this.#core.imageUser(options.user ?? config.user, image.chainId);
    const extra =
      options.groupAdd === undefined
        ? []
        : resolveGroups(options.groupAdd, await this.#core.accountFiles(image.chainId));
    const hostname = containerHostname(options, id);
    const resolved: ResolvedContainer = {
      args,
      env: processEnvironment(options, config, { hostname, home: user.home }),
      cwd: workingDirectory(options.workdir ?? config.workingDir),
      user: { uid: user.uid, gid: user.gid, groups: [...new Set([...user.groups, ...extra])] },
      stopSignal: parseSignal(options.stopSignal ?? (config.stopSignal || "TERM")),
      labels: { ...Object.fromEntries(config.labels), ...options.labels },
      chainId: image.chainId,
      ...(image.config.platform.architecture === "386" && { image32: true }),
      volumes: volumes(options, config.volumes),
    };
    const name = options.name ?? randomName(0);
    return { id, name, image: options.image, imageId: image.id, createdAt: Date.now(), options, resolved };
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
  }
}

function workingDirectory(path: string): string {
  if (path === "") return "/";
  if (!path.startsWith("/") || path.includes("\0"))
    throw invalidArgument(`Cannot use working directory "${path}": it is not an absolute path`);
  return path;
}

/** Volumes of the options, and an anonymous one for each VOLUME of the image that nothing else is mounted on. */
function volumes(options: ContainerOptions, image: readonly string[]): ResolvedContainer["volumes"] {
  const list: ResolvedContainer["volumes"][number][] = [];
  const taken = new Set<string>();
  for (const mount of options.mounts ?? []) {
    const target = checkTarget(mount.target);
    if (taken.has(target)) throw invalidArgument(`Cannot mount on "${target}": two mounts have this target`);
    taken.add(target);
    if (mount.type !== "volume") continue;
    const anonymous = mount.source === undefined || mount.source === "";
    if (!anonymous && !/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/.test(mount.source ?? ""))
      throw invalidArgument(
        `Cannot use volume "${mount.source}": its name may have letters, digits, "_", "." and "-"`,
        {
          remedy: "For a host directory, write an absolute path",
        },
      );
    list.push({
      target,
      name: anonymous ? newId() : (mount.source ?? ""),
      anonymous,
      readOnly: mount.readOnly === true,
      noCopy: mount.noCopy === true,
    });
  }
  for (const path of image) {
    const target = checkTarget(path);
    if (taken.has(target)) continue;
    taken.add(target);
    list.push({ target, name: newId(), anonymous: true, readOnly: false, noCopy: false });
  }
  return list;
}

/** The bundled program, run by a monitor to remove its container; nothing where there is no bundle. */
function removeCommand(paths: EnginePaths, id: string): readonly string[] {
  for (const candidate of ["./sampan.cjs", "../sampan.cjs", "../../dist/sampan.cjs"]) {
    const program = new URL(candidate, import.meta.url).pathname;
    if (!existsSync(program)) continue;
    const state = paths.state.slice(0, -"/containers".length);
    return [process.execPath, program, "--root", paths.root, "--state", state, "rm", "--force", "--volumes", id];
  }
  return [];
}
