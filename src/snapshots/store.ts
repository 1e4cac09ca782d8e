/**
 * What all snapshotters keep on disk:
 *
 *   ROOT/layers/HEX/fs             a layer's content; HEX is its chain id without the algorithm
 *   ROOT/layers/HEX/parent         symbolic link to the layer below, missing for none
 *   ROOT/layers/HEX/opaque         exists when the layer hides everything below it
 *   ROOT/layers/HEX/removing       symbolic link to the name of who is about to remove it, see removal.ts
 *   ROOT/snapshots/ID/fs           a snapshot's content; with `work` beside it, and `parent` like a layer
 *   ROOT/tmp/PID-START-RANDOM      what is being made or removed
 *   ROOT/empty                     an empty directory
 *
 * ROOT is for its owner alone: what is in a layer, setuid programs too, is not for the host's users (CVE-2021-41103).
 */
import {
  chmodSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
} from "node:fs";
import { basename, join } from "node:path";
import { alreadyExists, failedPrecondition, invalidArgument, notFound, SampanError } from "#errdefs";
import type { Executor } from "#keel";
import { digestHex, parseDigest } from "#spec";
import type { ChainId, SnapshotInfo, SnapshotKey, SnapshotProblem, Usage } from "./snapshotter.ts";
import { mayStandOn, Removal } from "./removal.ts";
import { abandoned, temporaryPath } from "./temporary.ts";
import { treeUsage } from "./usage.ts";

/** ENOTEMPTY */
const directoryNotEmpty = 39;
const idPattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

export interface Layer {
  readonly key: ChainId;
  /** Directory of its content. */
  readonly fs: string;
  readonly parent: ChainId | undefined;
  readonly opaque: boolean;
}

/**
 * Removes a snapshot that nothing was written to, as most short-lived containers leave theirs: a few system calls instead of
 * a process. False when there is more to it.
 */
function removeUnwritten(path: string): boolean {
  try {
    rmdirSync(join(path, "fs"));
    // Overlayfs leaves an empty directory in its own, and in that the mark of a mount that was never synced.
    for (const left of ["work/work/incompat/volatile", "work/work/incompat", "work/work", "work"])
      if (existsSync(join(path, left))) rmdirSync(join(path, left));
    unlinkSync(join(path, "parent"));
    rmdirSync(path);
    return true;
  } catch {
    return false;
  }
}

const errnoOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

export class SnapshotStore {
  readonly root: string;
  readonly executor: Executor;
  readonly #layers = new Map<ChainId, Layer>();

  /** Makes the directories; `root` is absolute and its parent exists. */
  constructor(root: string, executor: Executor) {
    this.root = root;
    this.executor = executor;
    mkdirSync(root, { recursive: true, mode: 0o700 });
    for (const name of ["layers", "snapshots", "tmp", "empty"])
      mkdirSync(join(root, name), { recursive: true, mode: 0o700 });
  }

  /** An empty directory, for overlays that need one more layer. */
  get empty(): string {
    return join(this.root, "empty");
  }

  /** Directory of a layer or snapshot. @throws SampanError `invalid-argument` */
  path(key: SnapshotKey): string {
    if (key.includes(":")) return join(this.root, "layers", digestHex(parseDigest(key)));
    if (!idPattern.test(key))
      throw invalidArgument(
        `Cannot use ${JSON.stringify(key.slice(0, 160))} as a snapshot's id: it must be letters, digits, "_", "." and "-"`,
      );
    return join(this.root, "snapshots", key);
  }

  has(key: SnapshotKey): boolean {
    return existsSync(this.path(key));
  }

  /** @throws SampanError `not-found` */
  layer(key: ChainId): Layer {
    const known = this.#layers.get(key);
    if (known !== undefined) return known;
    const path = this.path(key);
    if (!existsSync(path)) throw missing(key);
    const layer = { key, fs: join(path, "fs"), parent: parentAt(path), opaque: existsSync(join(path, "opaque")) };
    this.#layers.set(key, layer);
    return layer;
  }

  /** A layer and those below it that are not hidden, top first. */
  chain(key: ChainId | undefined): Layer[] {
    const chain: Layer[] = [];
    for (let next = key; next !== undefined;) {
      const layer = this.layer(next);
      chain.push(layer);
      next = layer.opaque ? undefined : layer.parent;
    }
    return chain;
  }

  /** Makes a directory for a layer to come, with an empty `fs` in it. */
  begin(): string {
    const path = temporaryPath(join(this.root, "tmp"));
    mkdirSync(path, { mode: 0o700 });
    makeDirectory(join(path, "fs"));
    return path;
  }

  /** Makes a layer of what `begin` gave. When it is there already, what was made is removed. */
  async commit(path: string, key: ChainId, parent: ChainId | undefined, opaque: boolean): Promise<void> {
    link(path, parent);
    if (opaque) symlinkSync("fs", join(path, "opaque"));
    try {
      renameSync(path, this.path(key));
    } catch (error) {
      // rename(2) of a directory onto one that is not empty
      if (errnoOf(error) !== "ENOTEMPTY" && errnoOf(error) !== "EEXIST") throw error;
      await this.discard(path);
    }
  }

  /**
   * Makes a snapshot's directory, with an empty `fs` that looks like `like`.
   *
   * @throws SampanError `not-found` when the parent is not there, or is being removed
   */
  async create(id: string, parent: ChainId | undefined, like: string | undefined): Promise<string> {
    const path = this.#create(id, parent, like);
    // From here on the parent stays, unless its removal has begun already.
    if (parent === undefined || mayStandOn(this.path(parent))) return path;
    await this.discard(path);
    this.#layers.delete(parent);
    throw missing(parent);
  }

  #create(id: string, parent: ChainId | undefined, like: string | undefined): string {
    const path = this.path(id);
    const root = like === undefined ? undefined : lookAt(like, parent);
    try {
      mkdirSync(path, { mode: 0o700 });
    } catch (error) {
      if (errnoOf(error) === "EEXIST") throw alreadyExists(`Cannot make the snapshot "${id}": it is there already`);
      throw error;
    }
    makeDirectory(join(path, "fs"), root);
    link(path, parent);
    return path;
  }

  /** Removes what is at `path`, if anything. */
  async discard(path: string): Promise<void> {
    await this.executor.execute([{ op: "remove-tree", path }]);
  }

  async remove(key: SnapshotKey): Promise<void> {
    const path = this.path(key);
    const isLayer = key.includes(":");
    using removal = isLayer ? Removal.begin(path) : undefined;
    if (isLayer) {
      if (removal === undefined) return;
      const user = this.list().find((other) => other.parent === key);
      if (user !== undefined)
        throw failedPrecondition(`Cannot remove the layer "${key}": the ${user.kind} "${user.key}" is on top of it`);
      this.#layers.delete(key as ChainId);
    }
    const aside = temporaryPath(join(this.root, "tmp"));
    try {
      renameSync(path, aside);
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return;
      throw error;
    }
    if (!removeUnwritten(aside)) await this.discard(aside);
  }

  info(key: SnapshotKey): SnapshotInfo {
    const path = this.path(key);
    if (!existsSync(path)) throw missing(key);
    return { key, kind: key.includes(":") ? "layer" : "snapshot", parent: parentAt(path) };
  }

  list(): SnapshotInfo[] {
    const layers = readdirSync(join(this.root, "layers")).filter(isLayerName).map(keyOf);
    const infos: SnapshotInfo[] = [];
    for (const key of [...layers, ...readdirSync(join(this.root, "snapshots"))]) {
      try {
        infos.push(this.info(key));
      } catch (error) {
        // Another process has removed it meanwhile.
        if (!(error instanceof SampanError) || error.code !== "not-found") throw error;
      }
    }
    return infos;
  }

  problems(): SnapshotProblem[] {
    const problems: SnapshotProblem[] = [];
    for (const name of readdirSync(join(this.root, "layers")))
      if (!isLayerName(name)) problems.push({ key: name, kind: "layer", state: "its name is no chain id" });
    for (const { key, kind, parent } of this.list()) {
      const isHere = (name: string): boolean =>
        lstatSync(join(this.path(key), name), { throwIfNoEntry: false })?.isDirectory() === true;
      if (!isHere("fs")) problems.push({ key, kind, state: "its content is missing" });
      else if (parent !== undefined && !this.has(parent))
        problems.push({ key, kind, state: `the layer "${parent}" below it is missing` });
    }
    return problems;
  }

  async discardLayer(key: ChainId): Promise<void> {
    const aside = temporaryPath(join(this.root, "tmp"));
    this.#layers.delete(key);
    try {
      renameSync(this.path(key), aside);
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return;
      throw error;
    }
    await this.discard(aside);
  }

  async usage(key: SnapshotKey): Promise<Usage> {
    const path = this.path(key);
    if (!existsSync(path)) throw missing(key);
    return treeUsage(join(path, "fs"));
  }

  async cleanup(): Promise<void> {
    for (const path of abandoned(join(this.root, "tmp"))) {
      try {
        await this.discard(path);
      } catch (error) {
        // A process that was killed has a keel that is about to end, and may still write: next time then.
        if (!(error instanceof SampanError) || error.fields.errno !== directoryNotEmpty) throw error;
      }
    }
  }
}

function missing(key: SnapshotKey): SampanError {
  if (!key.includes(":")) return notFound(`Cannot use the snapshot "${key}": there is none`);
  return notFound(`Cannot use the layer "${key}": there is none`, {
    path: key,
    remedy: "Pull its image again, and see sampan content fsck",
  });
}

/** The chain id that a directory's name stands for: sha256 has 64 digits, sha512 128. */
const keyOf = (hex: string): ChainId => parseDigest(`${hex.length === 128 ? "sha512" : "sha256"}:${hex}`);

const isLayerName = (name: string): boolean => /^(?:[0-9a-f]{64}|[0-9a-f]{128})$/.test(name);

function link(path: string, parent: ChainId | undefined): void {
  if (parent !== undefined) symlinkSync(`../../layers/${digestHex(parent)}`, join(path, "parent"));
}

function parentAt(path: string): ChainId | undefined {
  try {
    return keyOf(basename(readlinkSync(join(path, "parent"))));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

interface Look {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

function lookAt(directory: string, key: ChainId | undefined): Look {
  const stat = lstatSync(directory, { throwIfNoEntry: false });
  if (stat === undefined) throw missing(key ?? directory);
  return stat;
}

/** Makes a directory with exactly this mode and owner, by default 0755 and root's. */
function makeDirectory(path: string, look: Look = { mode: 0o755, uid: 0, gid: 0 }): void {
  mkdirSync(path);
  if (look.uid !== 0 || look.gid !== 0) lchownSync(path, look.uid, look.gid);
  chmodSync(path, look.mode & 0o7777);
}
