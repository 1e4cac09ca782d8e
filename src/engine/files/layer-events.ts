/** What a container has changed, as the entries of an image's layer (image-spec layer.md, "Change Types"). */
import { fileType, type ArchiveEvent } from "#archive";
import type { FileTree, FoundFile } from "#keel";
import { compareTrees } from "./compare-trees.ts";
import { isDirectory, isMoved, isOpaque, isWhiteout, isWithoutContent } from "./overlay-marks.ts";
import type { ContainerLayers } from "./trees.ts";

const opaqueName = ".wh..wh..opq";
const end: ArchiveEvent = { kind: "end" };

/** A name that begins like a whiteout's would hide something when the layer is unpacked. */
const isReserved = (path: string): boolean => /(?:^|\/)\.wh\./.test(path);

/** Entries that were made here, and are no file of the container. */
const made = new WeakSet<FoundFile>();

function hide(path: string): FoundFile {
  const file: FoundFile = {
    path,
    link: "",
    mode: fileType.file,
    uid: 0,
    gid: 0,
    major: 0,
    minor: 0,
    size: 0n,
    seconds: 0n,
    nanoseconds: 0,
    target: "",
    xattrs: [],
    segments: [],
  };
  made.add(file);
  return file;
}

function whiteout(path: string): ArchiveEvent {
  const slash = path.lastIndexOf("/") + 1;
  return { kind: "file", file: hide(`${path.slice(0, slash)}.wh.${path.slice(slash)}`) };
}

/**
 * @param openMerged opens the container's whole root: for what overlayfs has only noted, and not stored, above
 * @param onReserved told of files whose names a layer cannot have; they are left out
 */
export async function* layerEvents(
  layers: ContainerLayers,
  openMerged: () => Promise<FileTree>,
  onReserved: (path: string) => void,
): AsyncGenerator<ArchiveEvent, void, void> {
  let reserved: string | undefined;
  let dropped = false;
  for await (const event of layers.kind === "overlay"
    ? overlayEvents(layers, openMerged)
    : copyEvents(layers, openMerged)) {
    if (event.kind === "file") {
      const { path } = event.file;
      dropped = reserved !== undefined && path.startsWith(reserved);
      if (!dropped && isReserved(path) && !made.has(event.file)) {
        onReserved(path);
        reserved = `${path}/`;
        dropped = true;
      }
    }
    if (!dropped) yield event;
  }
}

async function* overlayEvents(
  { upper }: ContainerLayers,
  openMerged: () => Promise<FileTree>,
): AsyncGenerator<ArchiveEvent, void, void> {
  await using merged = new Late(openMerged);
  /** What is below has been told already. */
  let told: string | undefined;
  let content = true;
  for await (const event of upper.walk("/", { content: true })) {
    if (event.kind !== "file") {
      if (content) yield event;
      continue;
    }
    const { file } = event;
    content = false;
    if (told !== undefined && file.path.startsWith(told)) continue;
    if (isWhiteout(file)) {
      yield whiteout(file.path);
      yield end;
    } else if (isMoved(file)) {
      yield event;
      yield* opaque(file.path);
      yield* below(await merged.tree(), file.path);
      told = `${file.path}/`;
    } else if (isWithoutContent(file) && file.link === "") yield* itself(await merged.tree(), file.path);
    else {
      content = true;
      yield event;
      if (isOpaque(file) && file.path !== ".") yield* opaque(file.path);
    }
  }
}

/** A tree that is opened when it is first needed. */
class Late implements AsyncDisposable {
  readonly #open: () => Promise<FileTree>;
  #tree: Promise<FileTree> | undefined;

  constructor(open: () => Promise<FileTree>) {
    this.#open = open;
  }

  tree(): Promise<FileTree> {
    return (this.#tree ??= this.#open());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#tree?.catch(() => undefined))?.[Symbol.asyncDispose]();
  }
}

function* opaque(path: string): Generator<ArchiveEvent> {
  yield { kind: "file", file: hide(`${path}/${opaqueName}`) };
  yield end;
}

async function* below(tree: FileTree, path: string): AsyncGenerator<ArchiveEvent> {
  for await (const event of tree.walk(path, { content: true })) {
    if (event.kind !== "file") yield event;
    else if (event.file.path !== ".") {
      const { file } = event;
      const link = file.link === "" ? "" : `${path}/${file.link}`;
      yield { kind: "file", file: { ...file, path: `${path}/${file.path}`, link } };
    }
  }
}

async function* itself(tree: FileTree, path: string): AsyncGenerator<ArchiveEvent> {
  for await (const event of tree.walk(path, { depth: "itself", content: true }))
    yield event.kind === "file" ? { kind: "file", file: { ...event.file, path } } : event;
}

/** From a whole copy: what is another than in the image. */
async function* copyEvents(
  { upper, below: old }: ContainerLayers,
  openMerged: () => Promise<FileTree>,
): AsyncGenerator<ArchiveEvent, void, void> {
  await using whole = new Late(openMerged);
  const root = await upper.look("/");
  if (root !== undefined) yield { kind: "file", file: root };
  /** Files that are in the layer, by the first of their names: only to these another name can be a link. */
  const included = new Set<string>();
  for await (const { kind, path, file, content } of compareTrees(upper.walk("/", { content: true }), old.walk("/"))) {
    if (kind === "D") {
      yield whiteout(path);
      yield end;
      continue;
    }
    if (kind === undefined && !isDirectory(file)) continue;
    if (file.link !== "" && !included.has(file.link)) {
      // Its first name is as it was, and not in the layer: this one comes with the content.
      yield* itself(await whole.tree(), path);
      continue;
    }
    included.add(path);
    yield { kind: "file", file };
    yield* content;
  }
}
