/**
 * Each layer and each snapshot is a whole copy, for filesystems that overlayfs does not take. Where the filesystem can clone
 * files (btrfs, XFS) a copy costs no space.
 */
import { join } from "node:path";
import type { Executor } from "#keel";
import { Extractions } from "./extractions.ts";
import { inheritDirectories } from "./implied.ts";
import type {
  ChainId,
  Fill,
  RootSource,
  SnapshotInfo,
  SnapshotKey,
  SnapshotProblem,
  Snapshotter,
  Usage,
} from "./snapshotter.ts";
import { SnapshotStore } from "./store.ts";

export class NativeSnapshotter implements Snapshotter {
  readonly #store: SnapshotStore;
  readonly #extractions: Extractions;

  /** `root` is an absolute directory, made when it is missing. */
  constructor(root: string, executor: Executor) {
    this.#store = new SnapshotStore(root, executor);
    this.#extractions = new Extractions(this.#store);
  }

  get directory(): string {
    return this.#store.root;
  }

  extract(key: ChainId, parent: ChainId | undefined, fill: Fill): Promise<void> {
    const store = this.#store;
    return this.#extractions.run(key, parent, async (parentReady) => {
      await parentReady();
      const path = store.begin();
      try {
        const fs = join(path, "fs");
        const below = parent === undefined ? undefined : store.layer(parent);
        if (below !== undefined) await this.#copy(below.fs, fs);
        const { implied = [] } = await fill(fs, { overlay: false });
        if (below !== undefined) await inheritDirectories(store.executor, fs, implied, [below]);
        // What the layer hides is gone from the copy: the layers below are never looked at again.
        await store.commit(path, key, parent, false);
      } catch (error) {
        await store.discard(path);
        throw error;
      }
    });
  }

  async prepare(id: string, parent: ChainId | undefined): Promise<RootSource> {
    const below = parent === undefined ? undefined : this.#store.layer(parent).fs;
    const path = join(await this.#store.create(id, parent, below), "fs");
    try {
      if (below !== undefined) await this.#copy(below, path);
    } catch (error) {
      await this.#store.remove(id);
      throw error;
    }
    return { kind: "directory", path };
  }

  async mounts(id: string): Promise<RootSource> {
    this.#store.info(id);
    return { kind: "directory", path: join(this.#store.path(id), "fs") };
  }

  async view(parent: ChainId): Promise<RootSource> {
    return { kind: "directory", path: this.#store.layer(parent).fs };
  }

  remove(key: SnapshotKey): Promise<void> {
    return this.#store.remove(key);
  }

  async has(key: SnapshotKey): Promise<boolean> {
    return this.#store.has(key);
  }

  async stat(key: SnapshotKey): Promise<SnapshotInfo> {
    return this.#store.info(key);
  }

  async list(): Promise<SnapshotInfo[]> {
    return this.#store.list();
  }

  usage(key: SnapshotKey): Promise<Usage> {
    return this.#store.usage(key);
  }

  async problems(): Promise<SnapshotProblem[]> {
    return this.#store.problems();
  }

  discardLayer(key: ChainId): Promise<void> {
    return this.#store.discardLayer(key);
  }

  contentOf(): string | undefined {
    return undefined;
  }

  cleanup(): Promise<void> {
    return this.#store.cleanup();
  }

  async #copy(source: string, destination: string): Promise<void> {
    await this.#store.executor.execute([
      { op: "root-directory", path: source },
      { op: "copy-tree", source: "/", destination },
    ]);
  }
}
