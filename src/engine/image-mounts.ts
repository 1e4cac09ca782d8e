/** Images mounted in directories of the host. They stay when the process ends, and go with the machine's next start. */
import { readFileSync, realpathSync, statSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { failedPrecondition, fromSystemError, notFound, unsupported } from "#errdefs";
import { parseMountInfo } from "#host";
import type { Images } from "#images";
import type { Operation } from "#plan";
import type { RootSource } from "#snapshots";
import { asChainId, type EngineCore } from "./core.ts";
import type { ImageMountRecord, ImageMountRecords } from "./image-mount-records.ts";

/** MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID and MOUNT_ATTR_NODEV of mount_setattr(2). */
const readOnly = 1n;
const noSuid = 2n;
const noDev = 4n;

export interface ImageMountInfo {
  readonly target: string;
  readonly image: string;
  readonly imageId: string;
  readonly readOnly: boolean;
  /** Whether this process sees it; one of another mount namespace it does not. */
  readonly isMounted: boolean;
}

export class ImageMounts {
  readonly #core: EngineCore;
  readonly #images: Images;
  readonly #records: ImageMountRecords;

  constructor(core: EngineCore, images: Images, records: ImageMountRecords) {
    this.#core = core;
    this.#images = images;
    this.#records = records;
  }

  /**
   * Mounts an image's files on a directory, read-only. As long as they are, the image is kept. Its setuid programs and
   * devices are none there: they are not for the host's users.
   *
   * @param directory exists
   * @param options.writable with a writable layer on top, which is lost at the unmount
   * @returns the directory's absolute path
   * @throws SampanError `not-found`, `already-exists`, `failed-precondition`; nothing is mounted then
   */
  async mount(nameOrId: string, directory: string, options: { readonly writable?: boolean } = {}): Promise<string> {
    using image = await this.#images.hold(nameOrId);
    const { chainId } = image;
    if (chainId === undefined)
      throw unsupported(`Cannot mount image "${nameOrId}": it has no layers`, { path: nameOrId });
    const target = existingDirectory(directory);
    await this.#forgetStale();
    const snapshot = options.writable === true ? `image-mount-${randomBytes(16).toString("hex")}` : "";
    this.#records.insert({
      ...{ target, image: nameOrId, imageId: image.id, chainId, snapshot },
      ...{ boot: bootId(), createdAt: Date.now() },
    });
    try {
      const { snapshotter } = this.#core;
      const source =
        snapshot === "" ? await snapshotter.view(chainId) : await snapshotter.prepare(snapshot, asChainId(chainId));
      await this.#attach(source, target, snapshot === "" ? readOnly : 0n);
      return target;
    } catch (error) {
      await this.#clear({ target, snapshot });
      throw error;
    }
  }

  async #attach(source: RootSource, target: string, attributes: bigint): Promise<void> {
    const set = attributes | noSuid | noDev;
    const program: Operation[] =
      source.kind === "overlay"
        ? [
            { op: "root-overlay", lower: source.lower, upper: source.upper, work: source.work, parameters: [], target },
            { op: "mount-attributes", path: "/", set, clear: 0n, recursive: false },
          ]
        : [
            {
              op: "bind",
              ...{ source: source.path, target, recursive: false, set, clear: 0n },
              ...{ setRecursive: 0n, clearRecursive: 0n, propagation: 0n, propagationRecursive: false },
            },
          ];
    try {
      await this.#core.executor.execute(program);
    } catch (error) {
      // The second step may have failed where the first has mounted it.
      if (isMountPoint(target)) await this.#core.executor.execute([{ op: "unmount", path: target }]);
      throw error;
    }
  }

  /**
   * Takes an image's files away from a directory, or from all where the image is mounted.
   *
   * @param place directory, or the image as it was named for the mount, or its id
   * @returns the directories
   * @throws SampanError `not-found`
   */
  async unmount(place: string): Promise<readonly string[]> {
    await this.#forgetStale();
    const path = resolve(place);
    const records = this.#records.list();
    const byPath = records.filter(({ target }) => target === path || target === realpath(path));
    const found =
      byPath.length > 0
        ? byPath
        : records.filter(
            ({ image, imageId }) =>
              image === place || imageId === place || (place.length >= 6 && imageId.startsWith(`sha256:${place}`)),
          );
    if (found.length === 0)
      throw notFound(`Cannot unmount "${place}": no image is mounted there, and none of this name`, {
        path: place,
        remedy: "See sampan image mount",
      });
    for (const record of found) {
      if (isMountPoint(record.target)) await this.#core.executor.execute([{ op: "unmount", path: record.target }]);
      if (isMountPoint(record.target))
        throw failedPrecondition(`Cannot unmount "${record.target}": something else is mounted below it`, {
          path: record.target,
          remedy: "Try again",
        });
      await this.#clear(record);
    }
    return found.map(({ target }) => target);
  }

  list(): readonly ImageMountInfo[] {
    const mounted = mountPoints();
    const boot = bootId();
    return this.#records
      .list()
      .filter((record) => record.boot === boot)
      .map(({ target, image, imageId, snapshot }) => ({
        target,
        image,
        imageId,
        readOnly: snapshot === "",
        isMounted: mounted.has(target),
      }));
  }

  async #clear({ target, snapshot }: Pick<ImageMountRecord, "target" | "snapshot">): Promise<void> {
    if (snapshot !== "") await this.#core.snapshotter.remove(snapshot);
    this.#records.delete(target);
  }

  /** No mount outlives the kernel. */
  async #forgetStale(): Promise<void> {
    const boot = bootId();
    for (const record of this.#records.list()) if (record.boot !== boot) await this.#clear(record);
  }
}

function existingDirectory(directory: string): string {
  try {
    const target = realpathSync(directory);
    if (statSync(target).isDirectory()) return target;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      throw notFound(`Cannot mount on "${directory}": there is no such directory`, { path: directory, cause: error });
    throw fromSystemError(error) ?? error;
  }
  throw failedPrecondition(`Cannot mount on "${directory}": it is no directory`, { path: directory });
}

function realpath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

const bootId = (): string => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

const mountPoints = (): ReadonlySet<string> =>
  new Set(parseMountInfo(readFileSync("/proc/self/mountinfo", "utf8")).map(({ mountPoint }) => mountPoint));

const isMountPoint = (path: string): boolean => mountPoints().has(path);
