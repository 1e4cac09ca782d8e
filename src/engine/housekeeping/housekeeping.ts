/** What takes space on this machine, what of it can go, and whether all of it is well. */
import type { Collected, Database, Finding, Images, Repair } from "#images";
import type { EngineCore } from "../core.ts";
import type { EnginePaths } from "../paths.ts";
import type { Records } from "../records.ts";
import { checkContainers, repairContainers } from "./check-containers.ts";
import { diskUsage, type DiskUsage } from "./disk-usage.ts";
import { pruneContainers } from "./prune-containers.ts";
import { pruneImages, type PrunedImages, type PruneImagesOptions } from "./prune-images.ts";
import { pruneSystem, type PrunedSystem, type PruneSystemOptions } from "./prune-system.ts";
import { pruneVolumes } from "./prune-volumes.ts";
import { keepReserve, useReserve } from "./reserve.ts";
import { keepBelow, type KeptBelow, type Thresholds } from "./thresholds.ts";

export interface HousekeepingTools {
  readonly core: EngineCore;
  readonly images: Images;
  /** Of the namespace. */
  readonly database: Database;
  readonly shared: Database;
  readonly paths: EnginePaths;
  readonly records: Records;
}

export interface CheckOptions {
  /** Do not read blobs, nor the files of layers: see only whether they are there. */
  readonly quick?: boolean;
  readonly onProgress?: (key: string) => void;
  readonly signal?: AbortSignal;
}

export class Housekeeping {
  readonly #tools: HousekeepingTools;

  /** Use `Engine.housekeeping`. */
  constructor(tools: HousekeepingTools) {
    this.#tools = tools;
  }

  /** What images, containers and volumes of the namespace take, and what all namespaces share. Reads whole trees. */
  async diskUsage(): Promise<DiskUsage> {
    return await diskUsage(this.#tools);
  }

  /**
   * Removes images that no container uses and that are not pinned: those without a name, or `all`.
   *
   * @throws SampanError `invalid-argument` for a filter
   */
  async pruneImages(options: PruneImagesOptions = {}): Promise<PrunedImages> {
    return await pruneImages(this.#tools, options);
  }

  /** Removes containers that don't run. Ids of those removed. */
  async pruneContainers(filters: readonly string[] = []): Promise<readonly string[]> {
    return await pruneContainers(this.#tools, filters);
  }

  /** Removes volumes that no container uses: anonymous ones, or `all`. Their names, and the bytes that they took. */
  async pruneVolumes(options: { readonly all?: boolean } = {}): ReturnType<typeof pruneVolumes> {
    return await pruneVolumes(this.#tools, options.all ?? false);
  }

  /** Containers that don't run, unused images, caches, what interrupted work left; volumes when asked for. */
  async prune(options: PruneSystemOptions = {}): Promise<PrunedSystem> {
    return await pruneSystem(this.#tools, options);
  }

  /** Deletes blobs and layers that nothing has needed for `grace` milliseconds, a day by default. */
  async collect(grace?: number): Promise<Collected> {
    const { images, paths } = this.#tools;
    useReserve(paths.root);
    const collected = await images.collect(grace);
    keepReserve(paths.root);
    return collected;
  }

  /** Removes the images that were unused the longest, when the disk is fuller than it should be. */
  async keepBelow(thresholds: Thresholds = {}): Promise<KeptBelow> {
    return await keepBelow(this.#tools, thresholds);
  }

  /** Looks for what is wrong with blobs, layers, images and containers' writable layers. Changes nothing. */
  async check(options: CheckOptions = {}): Promise<readonly Finding[]> {
    return [...(await this.#tools.images.check(options)), ...(await checkContainers(this.#tools))];
  }

  /** Puts right what {@link check} has found, as far as that can be. */
  async repair(findings: readonly Finding[], signal?: AbortSignal): Promise<Repair> {
    const done = await repairContainers(findings, this.#tools);
    const repair = await this.#tools.images.repair(findings, signal);
    return { ...repair, done: [...done, ...repair.done] };
  }
}
