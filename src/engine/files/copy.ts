/** Copies between a container and this machine (`cp`). */
import { lstatSync, readlinkSync } from "node:fs";
import {
  archiveTree,
  extractEntries,
  fileType,
  treeEntries,
  type ArchiveEvent,
  type Note,
  type TreeEntryOptions,
} from "#archive";
import { failedPrecondition, invalidArgument, isSampanError, notFound, SampanError } from "#errdefs";
import { plainStream } from "#images";
import type { Executor, FileTree, FoundFile, LayerEntry } from "#keel";
import { baseName, copyPath, parentPath, type CopyPath } from "./copy-path.ts";
import { destinationDirectory, destinationPath, type Look } from "./destination.ts";
import type { HeldContainer } from "./trees.ts";

export type CopyPlace =
  /** A path in a container; a relative one starts at its root. */
  | { readonly kind: "container"; readonly container: string; readonly path: string }
  | { readonly kind: "local"; readonly path: string }
  /** A tar archive that is read, which may be compressed with gzip or zstd. */
  | { readonly kind: "input"; readonly stream: AsyncIterable<Uint8Array> }
  /** A tar archive that is written. */
  | { readonly kind: "output"; readonly write: (chunk: Uint8Array) => Promise<void> };

export interface CopyOptions {
  /** Keep owners and extended attributes. Otherwise files belong to root in a container, and here to who copies them. */
  readonly archive?: boolean | undefined;
  /** Copy what a symbolic link at the source's end leads to. */
  readonly followLink?: boolean | undefined;
  /** Of what was left out or changed meanwhile. */
  readonly onNote?: ((path: string, note: Note) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface CopyResult {
  /** Of the files' content. */
  readonly bytes: number;
}

export interface CopyTools {
  readonly executor: Pick<Executor, "openTree">;
  readonly hold: (nameOrId: string) => HeldContainer;
  /** All that a container sees. */
  readonly open: (held: HeldContainer) => Promise<FileTree>;
}

export async function copyFiles(
  from: CopyPlace,
  to: CopyPlace,
  options: CopyOptions,
  tools: CopyTools,
): Promise<CopyResult> {
  if ((from.kind === "container") === (to.kind === "container"))
    throw invalidArgument("Cannot copy: one of the two places must be in a container", {
      remedy: "Write it as CONTAINER:PATH; a path here that has a colon starts with ./ or /",
    });
  const counter = { bytes: 0 };
  if (from.kind === "input") await unpack(from.stream, to, counter, options, tools);
  else {
    await using source = await openSource(from, options, tools);
    const events = counted(source.events, counter, options.signal);
    if (to.kind === "output") await pack(source, events, to.write, options);
    else await copyTree(source, events, to, options, tools);
  }
  return counter;
}

async function* counted(
  events: AsyncIterable<ArchiveEvent>,
  counter: { bytes: number },
  signal: AbortSignal | undefined,
): AsyncGenerator<ArchiveEvent> {
  for await (const event of events) {
    signal?.throwIfAborted();
    if (event.kind === "data") counter.bytes += event.data.length;
    yield event;
  }
}

interface OpenSource extends AsyncDisposable {
  readonly from: CopyPath;
  readonly isDirectory: boolean;
  readonly events: AsyncIterable<ArchiveEvent>;
}

/** Starts to read: what kind of thing it is, is taken from what is then read, and cannot become another meanwhile. */
async function openSource(place: CopyPlace, options: CopyOptions, tools: CopyTools): Promise<OpenSource> {
  const { tree, from, release } = await openPlace(place, tools);
  const events = tree.walk(from.isDirectory ? `${from.path}/` : from.path, {
    follow: options.followLink === true || from.isDirectory,
    cross: true,
    content: true,
  });
  try {
    const first = await firstFile(events, from);
    const isDirectory = (first.mode & fileType.mask) === fileType.directory;
    return { from, isDirectory, events: behind(first, events), [Symbol.asyncDispose]: release };
  } catch (error) {
    await release();
    throw error;
  }
}

async function firstFile(events: AsyncGenerator<ArchiveEvent, void, void>, from: CopyPath): Promise<FoundFile> {
  try {
    const { value } = await events.next();
    if (value?.kind === "file") return value.file;
  } catch (error) {
    const { errno } = isSampanError(error) ? error.fields : {};
    const state = errno === 2 ? "it is not there" : errno === 20 ? "it is no directory" : undefined;
    if (state === undefined || !isSampanError(error)) throw error;
    throw new SampanError("not-found", `Cannot copy "${from.shown}": ${state}`, { ...error.fields, cause: error });
  }
  throw notFound(`Cannot copy "${from.shown}": it is not there`, { path: from.path });
}

async function* behind(first: FoundFile, rest: AsyncIterable<ArchiveEvent>): AsyncGenerator<ArchiveEvent> {
  yield { kind: "file", file: first };
  yield* rest;
}

async function openPlace(
  place: CopyPlace,
  tools: CopyTools,
): Promise<{ readonly tree: FileTree; readonly from: CopyPath; readonly release: () => Promise<void> }> {
  if (place.kind === "container") {
    const { container, path } = place;
    const from = copyPath(path, "/", `${container}:${path}`);
    const held = tools.hold(container);
    try {
      const tree = await tools.open(held);
      const release = async (): Promise<void> => {
        await tree[Symbol.asyncDispose]();
        held[Symbol.dispose]();
      };
      return { tree, from, release };
    } catch (error) {
      held[Symbol.dispose]();
      throw error;
    }
  }
  const from = localPath(place);
  const tree = await tools.executor.openTree({ mounts: false, program: [{ op: "root-directory", path: "/" }] });
  return { tree, from, release: async () => await tree[Symbol.asyncDispose]() };
}

function localPath(place: CopyPlace): CopyPath {
  const path = place.kind === "local" ? place.path : "";
  if (path === "") throw invalidArgument('Cannot copy "": the path is empty');
  return copyPath(path, process.cwd());
}

/** As an archive, whose names begin with the source's own. */
async function pack(
  { from, isDirectory }: OpenSource,
  events: AsyncIterable<ArchiveEvent>,
  write: (chunk: Uint8Array) => Promise<void>,
  options: CopyOptions,
): Promise<void> {
  const base = from.isContent && isDirectory ? "." : baseName(from.path);
  for await (const chunk of archiveTree(renamed(events, base), { onNote: options.onNote })) await write(chunk);
}

async function* renamed(events: AsyncIterable<ArchiveEvent>, base: string): AsyncGenerator<ArchiveEvent> {
  const name = (path: string): string => inside(base, path);
  for await (const event of events)
    yield event.kind === "file"
      ? {
          kind: "file",
          file: { ...event.file, path: name(event.file.path), link: event.file.link && name(event.file.link) },
        }
      : event;
}

const inside = (base: string, path: string): string => (base === "." ? path : path === "." ? base : `${base}/${path}`);

async function copyTree(
  { from, isDirectory }: OpenSource,
  events: AsyncIterable<ArchiveEvent>,
  to: CopyPlace,
  options: CopyOptions,
  tools: CopyTools,
): Promise<void> {
  const source = {
    name: baseName(from.path),
    isDirectory,
    isContent: isDirectory && from.isContent,
    shown: from.shown,
  };
  await using target = await openTarget(to, tools, (path, look) => destinationPath(path, source, look));
  const entries: TreeEntryOptions = {
    owner: options.archive === true ? undefined : target.owner,
    plain: options.archive !== true && to.kind === "local",
    onNote: options.onNote,
  };
  await writeEntries(target, treeEntries(renamed(events, target.base), entries));
}

async function unpack(
  stream: AsyncIterable<Uint8Array>,
  to: CopyPlace,
  counter: { bytes: number },
  options: CopyOptions,
  tools: CopyTools,
): Promise<void> {
  await using target = await openTarget(to, tools, destinationDirectory);
  await writeEntries(target, placed(stream, target.base, counter, options.signal));
}

/** An archive says itself who its files belong to. */
async function* placed(
  stream: AsyncIterable<Uint8Array>,
  base: string,
  counter: { bytes: number },
  signal: AbortSignal | undefined,
): AsyncGenerator<LayerEntry> {
  for await (const entry of extractEntries(plainStream(stream, "copy the archive"))) {
    signal?.throwIfAborted();
    if (entry.kind === "apply-data") counter.bytes += entry.data.length;
    if (entry.kind === "apply-hardlink")
      yield { ...entry, path: inside(base, entry.path), target: inside(base, entry.target) };
    else if ("path" in entry) yield { ...entry, path: inside(base, entry.path) };
    else yield entry;
  }
}

interface Target extends AsyncDisposable {
  readonly tree: FileTree;
  /** Path in the tree that is written to. */
  readonly base: string;
  readonly owner: { readonly uid: number; readonly gid: number };
}

type Choose = (to: CopyPath, look: Look) => Promise<string>;

async function openTarget(place: CopyPlace, tools: CopyTools, choose: Choose): Promise<Target> {
  if (place.kind !== "container") return await openLocalTarget(place, tools, choose);
  const { tree, from, release } = await openPlace(place, tools);
  try {
    const path = await choose(from, async (one) => {
      const found = await tree.look(one);
      if (found === undefined) return undefined;
      const type = found.mode & fileType.mask;
      const kind = type === fileType.directory ? "directory" : type === fileType.symlink ? "link" : "other";
      return { kind, target: found.target };
    });
    const base = path === "/" ? "." : path.slice(1);
    return { tree, base, owner: { uid: 0, gid: 0 }, [Symbol.asyncDispose]: release };
  } catch (error) {
    await release();
    throw error;
  }
}

/** What comes from a container is confined to the directory that it is to be in: no link among it leads out. */
async function openLocalTarget(place: CopyPlace, tools: CopyTools, choose: Choose): Promise<Target> {
  const to = localPath(place);
  const look: Look = async (path) => {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    if (stat.isSymbolicLink()) return { kind: "link", target: readlinkSync(path) };
    return { kind: stat.isDirectory() ? "directory" : "other", target: "" };
  };
  const path = await choose(to, look);
  const exists = lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const root = exists ? path : parentPath(path);
  const tree = await tools.executor.openTree({ mounts: false, program: [{ op: "root-directory", path: root }] });
  return {
    tree,
    base: exists ? "." : baseName(path),
    owner: { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 },
    [Symbol.asyncDispose]: async () => await tree[Symbol.asyncDispose](),
  };
}

async function writeEntries({ tree }: Target, entries: AsyncIterable<LayerEntry>): Promise<void> {
  await using sink = tree.write();
  for await (const entry of entries) await sink.write(entry);
  await sink.finish({ sync: false });
}

/** A place as `cp` takes it: `CONTAINER:PATH`, a path here, or `-`. */
export type PlaceText =
  | { readonly kind: "container"; readonly container: string; readonly path: string }
  | { readonly kind: "local"; readonly path: string }
  | { readonly kind: "stream" };

export function parseCopyPlace(text: string): PlaceText {
  if (text === "-") return { kind: "stream" };
  const colon = text.indexOf(":");
  // A path that has a colon and is meant to be one here starts like a path.
  if (colon < 0 || text.startsWith("/") || text.startsWith(".")) return { kind: "local", path: text };
  if (colon === 0) throw failedPrecondition(`Cannot copy "${text}": it names no container`);
  return { kind: "container", container: text.slice(0, colon), path: text.slice(colon + 1) };
}
