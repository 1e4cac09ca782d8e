/**
 * Blobs and layers that can be seen, but that a power cut may still damage: bringing a large image to the disk takes longer
 * than all the rest of a pull, and nobody has to wait for it. Each has a mark, made before it can be seen:
 *
 *     ROOT/unflushed/layer-sha256-HEX.OWNER.NUMBER -> BOOT      (blob-… for a blob)
 *
 *     seen ──settle: keel flushes, on its own──> mark removed
 *       └── power cut, new boot ──recover: blob verified, layer unpacked anew──> mark removed
 *
 * A mark is made in the same filesystem and before what it is about, so that a journal has both or only the mark.
 */
import { mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { currentOwner, isOwnerAlive, WriterLock, type ContentStore } from "#content";
import type { Executor } from "#keel";
import type { Snapshotter } from "#snapshots";
import { isDigest, type Digest } from "#spec";
import type { Database } from "./database.ts";
import type { RepairTools } from "./repair.ts";

export interface UnflushedTools {
  readonly database: Database;
  readonly content: ContentStore;
  readonly snapshotter: Snapshotter;
  readonly executor: Pick<Executor, "openLayer">;
}

type Kind = "blob" | "layer";

interface Mark {
  readonly path: string;
  readonly kind: Kind;
  readonly digest: Digest;
  readonly owner: string;
}

const lockName = "recovery";
let counter = 0;

const directoryOf = ({ database }: Pick<UnflushedTools, "database">): string =>
  join(dirname(database.path), "unflushed");

/** What one piece of work makes visible without waiting for the disk. */
export class Unflushed {
  readonly #tools: UnflushedTools;
  readonly #directory: string;
  readonly #marks: string[] = [];

  private constructor(tools: UnflushedTools) {
    this.#tools = tools;
    this.#directory = directoryOf(tools);
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
  }

  /**
   * With the marks of processes that are gone, since a flush brings all of the filesystem to the disk, whoever wrote it.
   *
   * @returns undefined where blobs and layers are on several filesystems: then each is to be flushed before it can be seen
   */
  static begin(tools: UnflushedTools): Unflushed | undefined {
    const unflushed = new Unflushed(tools);
    const devices = [unflushed.#directory, tools.content.directory, tools.snapshotter.directory].map(
      (path) => statSync(path).dev,
    );
    if (new Set(devices).size > 1) return undefined;
    for (const { path, owner } of marksIn(unflushed.#directory)) if (!isOwnerAlive(owner)) unflushed.#marks.push(path);
    return unflushed;
  }

  /** To be called before it can be seen. */
  mark(kind: Kind, digest: Digest): void {
    counter += 1;
    const name = `${kind}-${digest.replace(":", "-")}.${currentOwner()}.${counter}`;
    const path = join(this.#directory, name);
    symlinkSync(bootId(), path);
    this.#marks.push(path);
  }

  /** Lets keel bring all of it to the disk. Does not wait for that. */
  async settle(): Promise<void> {
    if (this.#marks.length === 0) return;
    await using sink = await this.#tools.executor.openLayer(this.#directory, { overlay: true });
    await sink.finish({ sync: false, marks: this.#marks.splice(0) });
  }
}

/**
 * After a power cut: removes blobs and layers that may not have reached the disk whole, and gets them again. To be called
 * before anything of the store is used; waits for another process that does the same.
 *
 * @param tools called only when there is something to do
 */
export async function recoverUnflushed(
  database: Database,
  tools: () => RepairTools,
  signal: AbortSignal,
): Promise<void> {
  const directory = directoryOf({ database });
  const isDone = (): boolean => fromOtherBoots(directory).length === 0;
  if (isDone()) return;
  using lock = await WriterLock.take(join(directory, lockName), isDone, signal);
  if (lock === undefined) return;
  const { repairStore } = await import("./repair.ts");
  const all = tools();
  const marks = fromOtherBoots(directory);
  const findings = [];
  for (const { kind, digest } of marks) {
    if (kind === "layer") findings.push({ kind: "broken-layer", key: digest } as const);
    else if (all.content.has(digest) && (await all.content.verify(digest, signal)) !== undefined) {
      all.content.delete(digest);
      findings.push({ kind: "missing-blob", key: digest } as const);
    }
  }
  // What can't be had now is missed, with a remedy, when somebody needs it.
  await repairStore(
    findings.map((one) => ({ ...one, state: "it may not have reached the disk", images: [] })),
    all,
    signal,
    undefined,
  );
  for (const { path } of marks) unlinkSync(path);
}

function fromOtherBoots(directory: string): readonly Mark[] {
  const marks = marksIn(directory);
  return marks.length === 0 ? [] : marks.filter(({ path }) => bootOf(path) !== bootId());
}

function marksIn(directory: string): readonly Mark[] {
  let names: readonly string[];
  try {
    names = readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  return names.flatMap((name) => {
    const [, kind, algorithm, hex, owner = ""] = /^(blob|layer)-(sha\d+)-([0-9a-f]+)\.([\d-]+)\.\d+$/.exec(name) ?? [];
    const digest = `${algorithm}:${hex}`;
    if (kind === undefined || !isDigest(digest)) return [];
    return [{ path: join(directory, name), kind: kind as Kind, digest, owner }];
  });
}

/** The boot that a mark is from; this one's when it has gone meanwhile. */
function bootOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return bootId();
  }
}

let boot: string | undefined;

/** Of the running kernel (random(4)). */
function bootId(): string {
  return (boot ??= readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim());
}
