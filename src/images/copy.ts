/** Copies between registries, folders and archives, without a store. */
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ContentStore } from "#content";
import { invalidArgument, notFound } from "#errdefs";
import type { Registry } from "#remotes";
import {
  familiarName,
  isIndexMediaType,
  defaultDocumentSize,
  parseManifestDocument,
  parseReference,
  selectManifest,
  type Descriptor,
  type Digest,
  type Platform,
  type Reference,
} from "#spec";
import { hostPlatform } from "./image-store.ts";
import type { OnProgress } from "./progress.ts";
import { ArchiveFiles } from "./transfer/archive-files.ts";
import { listImages } from "./transfer/archive-index.ts";
import { ArchiveWriter, type Sink } from "./transfer/archive-writer.ts";
import type { ImageReader, ImageWriter } from "./transfer/endpoints.ts";
import { findInLayout, layoutReader, layoutWriter } from "./transfer/layout.ts";
import { registryReader, registryWriter } from "./transfer/registry.ts";
import { transferImage } from "./transfer/transfer.ts";

/** A place that images come from or go to. */
export type Place =
  | { readonly kind: "docker"; readonly reference: Reference }
  | { readonly kind: "oci"; readonly path: string; readonly name: string | undefined }
  | { readonly kind: "archive"; readonly path: string; readonly name: string | undefined };

/**
 * Reads a place as skopeo writes it: `docker://NAME`, `oci:DIR[:TAG]`, `oci-archive:FILE[:NAME]`,
 * `docker-archive:FILE[:NAME]`. Archives that are written are both kinds at once.
 *
 * @throws SampanError `invalid-argument`
 */
export function parsePlace(text: string): Place {
  const [, transport = "", rest = ""] = /^([a-z-]+):(.*)$/s.exec(text) ?? [];
  if (transport === "docker" && rest.startsWith("//"))
    return { kind: "docker", reference: parseReference(rest.slice(2)) };
  const [path = "", name] = rest.split(/:(.*)/s, 2);
  if (path !== "" && transport === "oci") return { kind: "oci", path, name };
  if (path !== "" && (transport === "oci-archive" || transport === "docker-archive"))
    return { kind: "archive", path, name };
  throw invalidArgument(`Cannot use "${text}" as a place for images: it is none that is known`, {
    remedy: "Write docker://NAME, oci:DIR[:TAG], oci-archive:FILE[:NAME] or docker-archive:FILE[:NAME]",
  });
}

export interface CopyOptions {
  readonly registry: Registry;
  /** All platforms of an index. */
  readonly all: boolean;
  /** Also what refers to it: signatures, attestations and the like. Not to an archive, which has no place for it. */
  readonly referrers?: boolean;
  /** In place of this machine's. */
  readonly platform: Platform | undefined;
  readonly onProgress: OnProgress | undefined;
  readonly signal: AbortSignal;
  /** Opens the file of an archive that is written. */
  readonly openSink: (
    path: string,
  ) => Promise<AsyncDisposable & { readonly write: Sink; readonly commit: () => Promise<void> }>;
}

/** Copies an image byte for byte; returns the digest of what was copied. */
export async function copyImage(from: Place, to: Place, options: CopyOptions): Promise<Digest> {
  const { registry, signal, onProgress } = options;
  if (options.referrers === true && to.kind === "archive") {
    throw invalidArgument(`Cannot copy to "${to.path}": an archive has no place for what refers to an image`, {
      remedy: "Copy to a folder (oci:DIR)",
    });
  }
  await using source = await openSource(from, options);
  const root = options.all ? source.root : await pick(source.reader, source.root, options);
  const transfer = async (writer: ImageWriter): Promise<void> =>
    await transferImage(source.reader, writer, root, {
      action: `Cannot copy "${source.shown}"`,
      onProgress,
      signal,
      status: "copying",
      ...(options.referrers !== undefined && { referrers: options.referrers }),
    });
  if (to.kind === "docker") await transfer(registryWriter(registry, to.reference));
  else if (to.kind === "oci") {
    await mkdir(to.path, { recursive: true });
    await transfer(layoutWriter(to.path, to.name));
  } else {
    await using file = await options.openSink(to.path);
    const writer = new ArchiveWriter(file.write);
    await transfer(writer);
    const shown = await pick(source.reader, root, options);
    writer.list(root, shown.digest, to.name === undefined ? [] : [parseReference(to.name)]);
    await writer.finish();
    await file.commit();
  }
  return root.digest;
}

interface Source extends AsyncDisposable {
  readonly reader: ImageReader;
  readonly root: Descriptor;
  readonly shown: string;
}

async function openSource(place: Place, { registry, signal }: CopyOptions): Promise<Source> {
  const nothing = async (): Promise<void> => await Promise.resolve();
  if (place.kind === "docker") {
    const { reference } = place;
    const root = await registry.resolve(reference, { signal });
    const shown = familiarName(reference);
    return { reader: registryReader(registry, reference), root, shown, [Symbol.asyncDispose]: nothing };
  }
  if (place.kind === "oci") {
    const root = await findInLayout(place.path, place.name);
    return { reader: layoutReader(place.path), root, shown: place.path, [Symbol.asyncDispose]: nothing };
  }
  return await openArchive(place.path, place.name, signal);
}

/** A tar is read once from its start to its end: what is in it goes to a store of its own meanwhile. */
async function openArchive(path: string, name: string | undefined, signal: AbortSignal): Promise<Source> {
  const directory = await mkdtemp(join(tmpdir(), "sampan-copy-"));
  const remove = async (): Promise<void> => await rm(directory, { recursive: true, force: true });
  try {
    const content = ContentStore.open(directory);
    const lease = { use: async () => await Promise.resolve() };
    const files = await ArchiveFiles.read(createReadStream(path), { content, lease }, [], signal);
    const images = await listImages(files, content);
    const wanted = name === undefined ? undefined : familiarName(parseReference(name));
    const found = images.filter(
      ({ names }) => wanted === undefined || names.some((one) => familiarName(one) === wanted),
    );
    const [first] = found;
    if (first === undefined || (name === undefined && found.length > 1)) {
      const state = first === undefined ? `it has no "${name}"` : `it has ${found.length} images`;
      throw notFound(`Cannot find an image in "${path}": ${state}`, {
        path,
        remedy: "Name one of its images behind a colon",
      });
    }
    const reader: ImageReader = {
      readManifest: async ({ digest }) => await content.readBytes(digest, defaultDocumentSize),
      readBlob: async function* readBlob({ digest }, offset) {
        let left = offset;
        for await (const chunk of content.openRead(digest)) {
          if (left < chunk.length) yield chunk.subarray(left);
          left = Math.max(0, left - chunk.length);
        }
      },
    };
    return { reader, root: first.root, shown: path, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** The manifest of one platform. */
async function pick(reader: ImageReader, root: Descriptor, { platform, signal }: CopyOptions): Promise<Descriptor> {
  let descriptor = root;
  for (let depth = 0; isIndexMediaType(descriptor.mediaType); depth++) {
    if (depth > 4) throw invalidArgument(`Cannot copy "${root.digest}": its indexes are nested too deep`);
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await reader.readManifest(descriptor, signal));
    const document = parseManifestDocument(text, descriptor.mediaType);
    if (document.kind !== "index") break;
    descriptor = selectManifest(document.index, platform ?? hostPlatform());
  }
  return descriptor;
}
