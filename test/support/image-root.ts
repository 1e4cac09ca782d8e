/** The image store over a root directory of its own, with all real parts below it. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ContentStore } from "#content";
import { Images, openDatabase, type Database, type ImagesOptions } from "#images";
import { KeelExecutor } from "#keel";
import { OverlaySnapshotter } from "#snapshots";
import type { Digest } from "#spec";
import { mustHere } from "./process.ts";

/** Waits that a test has time for. */
const registry = { retry: { attempts: 3, delay: 10, maxDelay: 200 } };

export class ImageRoot implements AsyncDisposable {
  readonly directory: string;
  readonly database: Database;
  readonly content: ContentStore;
  readonly snapshotter: OverlaySnapshotter;
  readonly images: Images;
  readonly #owned: boolean;

  private constructor(directory: string, owned: boolean, options: Partial<ImagesOptions>) {
    const executor = new KeelExecutor();
    this.directory = directory;
    this.#owned = owned;
    this.database = openDatabase(join(directory, "metadata.db"));
    this.content = ContentStore.open(directory);
    this.snapshotter = new OverlaySnapshotter(join(directory, "snapshots"), executor);
    const { database, content, snapshotter } = this;
    this.images = new Images({ database, content, snapshotter, executor, registry, ...options });
  }

  /** @param base not /tmp by default, which may be a tmpfs without room for a Debian userland */
  static async create(options: Partial<ImagesOptions> = {}, base: string = "/var/tmp"): Promise<ImageRoot> {
    return new ImageRoot(await mkdtemp(`${base}/sampan-images-`), true, options);
  }

  /** The same directory once more, as another process would open it. */
  again(options: Partial<ImagesOptions> = {}): ImageRoot {
    return new ImageRoot(this.directory, false, options);
  }

  /** Everything that is in the store, but for the database. */
  async contents(): Promise<{ blobs: number; ingests: number; layers: number; temporary: number }> {
    const count = async (path: string): Promise<number> => (await readdir(join(this.directory, path))).length;
    return {
      blobs: await count("content/blobs/sha256"),
      ingests: await count("content/ingest"),
      layers: await count("snapshots/layers"),
      temporary: await count("snapshots/tmp"),
    };
  }

  /** Runs a shell script in a mount namespace where an image's layers are mounted read-only at `$1`. */
  async inside(chainId: Digest | undefined, script: string): Promise<string> {
    if (chainId === undefined) throw new Error("Cannot mount an image without layers");
    const source = await this.snapshotter.view(chainId);
    if (source.kind !== "overlay") throw new Error("Cannot mount a snapshot that is no overlay");
    const mount = `mount -t tmpfs none /mnt && mount -t overlay none -o "lowerdir=$0" /mnt && set -- /mnt && ${script}`;
    return mustHere(["unshare", "--mount", "bash", "-ec", mount, source.lower.join(":")]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.images[Symbol.dispose]();
    this.database[Symbol.dispose]();
    if (this.#owned) await rm(this.directory, { recursive: true });
  }
}

/** Prints every file below `$1`, with all that an image says of it. */
export const listing: string = [
  'cd "$1"',
  // Directories' times are not compared: umoci sets them before it fills the directories.
  String.raw`find . -mindepth 1 \( -type d -printf '%p %y %m %U:%G\n' \) -o \( -type f -printf '%p %y %m %U:%G %s %n %T@\n' \) -o -printf '%p %y %m %U:%G %l\n' | sort`,
  // Of the names of one file the first is enough.
  String.raw`find . -type f -printf '%i\t%p\n' | sort -k2 | awk -F'\t' '!seen[$1]++ { print $2 }' | xargs -r -d '\n' sha256sum`,
  String.raw`find . \( -type c -o -type b \) -exec stat -c '%n %t:%T' {} + | sort`,
  "find . -type f -print0 | sort -z | xargs -0 -r getfattr --no-dereference -d -m '^(user|security)' -e hex 2>/dev/null",
].join("\n");
