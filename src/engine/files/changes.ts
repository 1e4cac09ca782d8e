/** What a container has changed, as `diff` shows it. */
import type { FileTree, FoundFile } from "#keel";
import { isDirectory, isMoved, isOpaque, isWhiteout } from "./overlay-marks.ts";
import { changeOf, compareTrees } from "./compare-trees.ts";
import type { ContainerLayers } from "./trees.ts";

/** A path that was added, changed, or deleted; of a deleted directory only the directory itself. */
export interface FileChange {
  readonly kind: "A" | "C" | "D";
  /** Absolute. */
  readonly path: string;
}

/** Files that are looked up below at once. */
const batchSize = 128;

/** Sorted by path. A directory in which something has changed counts as changed. */
export async function containerChanges(
  layers: ContainerLayers,
  openMerged: () => Promise<FileTree>,
): Promise<readonly FileChange[]> {
  const changes = new Changes();
  if (layers.kind === "overlay") await readOverlay(layers, openMerged, changes);
  else
    for await (const { kind, path } of compareTrees(layers.upper.walk("/"), layers.below.walk("/")))
      if (kind !== undefined) changes.add(kind, path);
  return changes.sorted;
}

class Changes {
  readonly #kinds = new Map<string, FileChange["kind"]>();

  add(kind: FileChange["kind"], path: string): void {
    this.#kinds.set(path, kind);
    for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
      const parent = path.slice(0, slash);
      if (this.#kinds.has(parent)) return;
      this.#kinds.set(parent, "C");
    }
  }

  get sorted(): readonly FileChange[] {
    return [...this.#kinds]
      .map(([path, kind]) => ({ kind, path: `/${path}` }))
      .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  }
}

/**
 * Overlayfs has all changes in the upper directory, and beside them directories and files that were only opened for writing:
 * each is looked up below. The layers below are not walked.
 */
async function readOverlay(
  { upper, below }: ContainerLayers,
  openMerged: () => Promise<FileTree>,
  changes: Changes,
): Promise<void> {
  const opaque = new Map<string, Set<string>>();
  const moved: string[] = [];
  for await (const { file, old } of withBelow(upper, below)) {
    const { path } = file;
    const slash = path.lastIndexOf("/");
    if (!isWhiteout(file)) opaque.get(path.slice(0, Math.max(0, slash)))?.add(path.slice(slash + 1));
    const kind = isWhiteout(file) ? (old === undefined ? undefined : "D") : changeOf(file, old);
    if (kind !== undefined) changes.add(kind, path);
    if (isMoved(file)) moved.push(path);
    else if (isOpaque(file) && old !== undefined && isDirectory(old)) opaque.set(path, new Set());
  }
  for (const [path, kept] of opaque)
    for await (const event of below.walk(path, { depth: "children" }))
      if (event.kind === "file" && event.file.path !== "." && !kept.has(event.file.path))
        changes.add("D", `${path}/${event.file.path}`);
  if (moved.length === 0) return;
  await using merged = await openMerged();
  for (const path of moved) await readMoved(path, merged, below, changes);
}

/** What a renamed directory holds now, against what its new name held below. */
async function readMoved(path: string, merged: FileTree, below: FileTree, changes: Changes): Promise<void> {
  const old = await below.look(path);
  const walk = old !== undefined && isDirectory(old) ? below.walk(path) : nothing();
  for await (const { kind, path: inside } of compareTrees(merged.walk(path), walk))
    if (kind !== undefined) changes.add(kind, `${path}/${inside}`);
}

// oxlint-disable-next-line require-yield -- it has none
async function* nothing(): AsyncGenerator<never> {
  await Promise.resolve();
}

async function* withBelow(
  upper: FileTree,
  below: FileTree,
): AsyncGenerator<{ readonly file: FoundFile; readonly old: FoundFile | undefined }> {
  let batch: FoundFile[] = [];
  const look = async () => {
    const files = batch;
    batch = [];
    const olds = await Promise.all(files.map(({ path }) => below.look(path)));
    return files.map((file, i) => ({ file, old: olds[i] }));
  };
  for await (const event of upper.walk("/")) {
    if (event.kind !== "file" || event.file.path === ".") continue;
    batch.push(event.file);
    if (batch.length >= batchSize) yield* await look();
  }
  yield* await look();
}
