/** Layers as they are, put on top of each other by overlayfs when a container starts. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { unsupported } from "#errdefs";
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

/** Most lower layers that overlayfs takes (fs/overlayfs/params.h, OVL_MAX_STACK). */
const maxLayers = 500;

export class OverlaySnapshotter implements Snapshotter {
  readonly #store: SnapshotStore;
  readonly #extractions: Extractions;

  /** `root` is an absolute directory, made when it is missing, on a filesystem that overlayfs takes as upper and lower. */
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
      const path = store.begin();
      try {
        const fs = join(path, "fs");
        const facts = await fill(fs, { overlay: true });
        await parentReady();
        const { implied = [], opaque = false } = facts;
        if (!opaque) await inheritDirectories(store.executor, fs, implied, store.chain(parent));
        await store.commit(path, key, parent, opaque);
      } catch (error) {
        await store.discard(path);
        throw error;
      }
    });
  }

  async prepare(id: string, parent: ChainId | undefined): Promise<RootSource> {
    const lower = this.#lower(parent);
    const path = await this.#store.create(id, parent, parent === undefined ? undefined : lower[0]);
    mkdirSync(join(path, "work"), { mode: 0o700 });
    return overlayOf(lower, path);
  }

  async mounts(id: string): Promise<RootSource> {
    const { parent } = this.#store.info(id);
    return overlayOf(this.#lower(parent), this.#store.path(id));
  }

  async view(parent: ChainId): Promise<RootSource> {
    const lower = this.#lower(parent);
    // Without an upper directory overlayfs wants two lower ones.
    if (lower.length === 1) lower.push(this.#store.empty);
    return { kind: "overlay", lower, upper: "", work: "" };
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

  contentOf(key: ChainId): string | undefined {
    return this.#store.has(key) ? join(this.#store.path(key), "fs") : undefined;
  }

  cleanup(): Promise<void> {
    return this.#store.cleanup();
  }

  #lower(parent: ChainId | undefined): string[] {
    const lower = this.#store.chain(parent).map((layer) => layer.fs);
    if (lower.length > maxLayers)
      throw unsupported(
        `Cannot use the layer "${parent ?? ""}": overlayfs takes ${maxLayers} layers, not ${lower.length}`,
      );
    return lower.length === 0 ? [this.#store.empty] : lower;
  }
}

const overlayOf = (lower: readonly string[], path: string): RootSource => ({
  kind: "overlay",
  lower,
  upper: join(path, "fs"),
  work: join(path, "work"),
});
