import { cancelled, invalidArgument, isSampanError, unsupported } from "#errdefs";
import {
  isForeignLayerMediaType,
  parseManifestDocument,
  type Descriptor,
  type Digest,
  type ImageManifest,
} from "#spec";
import type { OnProgress, TransferStatus } from "../progress.ts";
import type { ImageReader, ImageWriter, ManifestRole } from "./endpoints.ts";

const maxIndexDepth = 4;
/** Manifests of one image, those of nested indexes counted too. */
const maxDocuments = 2000;

/** A manifest or index of an image, with what it refers to. */
interface Document {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  /** Undefined for an index. */
  readonly manifest: ImageManifest | undefined;
}

export interface TransferOptions {
  /** Start of an error's message, e.g. `Cannot push "app:1"`. */
  readonly action: string;
  readonly onProgress?: OnProgress | undefined;
  readonly signal: AbortSignal;
  /** What a blob's progress is called. */
  readonly status: TransferStatus;
  /** Also what refers to any of its manifests, and what refers to that. */
  readonly referrers?: boolean;
}

/**
 * Copies an image as it is, byte for byte, with all that its root refers to: blobs side by side, then manifests, the root
 * last, so that a name never stands for something incomplete.
 *
 * @throws the first failure; nothing runs on then
 */
export async function transferImage(
  reader: ImageReader,
  writer: ImageWriter,
  root: Descriptor,
  options: TransferOptions,
): Promise<void> {
  const documents = await transferTree(reader, writer, root, "root", options);
  if (options.referrers !== true || reader.referrers === undefined) return;
  const seen = new Set(documents.map(({ descriptor }) => descriptor.digest));
  // Grows while it is gone through: what refers to a signature, for one.
  const subjects = [...seen];
  for (const subject of subjects) {
    for (const referrer of await reader.referrers(subject, options.signal)) {
      if (seen.has(referrer.digest)) continue;
      if (seen.size >= maxDocuments) {
        throw invalidArgument(`${options.action}: more than ${maxDocuments} manifests are or refer to it`);
      }
      for (const { descriptor } of await transferTree(reader, writer, referrer, "referrer", options)) {
        seen.add(descriptor.digest);
        subjects.push(descriptor.digest);
      }
    }
  }
}

/** Copies a manifest or index with all that it leads to. */
async function transferTree(
  reader: ImageReader,
  writer: ImageWriter,
  root: Descriptor,
  role: ManifestRole,
  options: TransferOptions,
): Promise<readonly Document[]> {
  const documents = await readDocuments(reader, root, options);
  const blobs = new Map<Digest, Descriptor>();
  for (const { manifest } of documents) {
    for (const blob of manifest === undefined ? [] : [...manifest.layers, manifest.config]) {
      if (isForeignLayerMediaType(blob.mediaType)) {
        throw unsupported(`${options.action}: layer ${blob.digest} is held elsewhere, by a foreign URL`, {
          remedy: "Use an image whose registry holds all its layers",
        });
      }
      blobs.set(blob.digest, blob);
    }
  }
  await transferBlobs(reader, writer, [...blobs.values()], options);
  for (const { descriptor, bytes } of documents) {
    const own = descriptor.digest === root.digest ? role : "part";
    await writer.writeManifest(descriptor, bytes, own, options.signal);
  }
  return documents;
}

/** The root and all that it leads to, each once, what is referred to before what refers to it. */
async function readDocuments(
  reader: ImageReader,
  root: Descriptor,
  { action, signal }: TransferOptions,
): Promise<readonly Document[]> {
  const documents = new Map<Digest, Document>();
  const visit = async (descriptor: Descriptor, depth: number): Promise<void> => {
    if (documents.has(descriptor.digest)) return;
    if (depth > maxIndexDepth) throw invalidArgument(`${action}: its indexes are nested too deep`);
    if (documents.size >= maxDocuments) {
      throw invalidArgument(`${action}: it has more than ${maxDocuments} manifests`);
    }
    const bytes = await reader.readManifest(descriptor, signal);
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const document = parseManifestDocument(text, descriptor.mediaType);
    const manifest = document.kind === "manifest" ? document.manifest : undefined;
    if (document.kind === "index") for (const child of document.index.manifests) await visit(child, depth + 1);
    documents.set(descriptor.digest, { descriptor, bytes, manifest });
  };
  await visit(root, 0);
  return [...documents.values()];
}

async function transferBlobs(
  reader: ImageReader,
  writer: ImageWriter,
  blobs: readonly Descriptor[],
  options: TransferOptions,
): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const report = (blob: Descriptor, status: TransferStatus, current: number): void =>
    options.onProgress?.({ digest: blob.digest, status, current, total: blob.size });
  for (const blob of blobs) report(blob, "waiting", 0);
  let failure: { error: unknown } | undefined;
  const queue = blobs.values();
  const worker = async (): Promise<void> => {
    for (const blob of queue) {
      try {
        const source = (offset: number): AsyncIterable<Uint8Array> => reader.readBlob(blob, offset, signal);
        const written = await writer.writeBlob(
          blob,
          source,
          (current) => report(blob, options.status, current),
          signal,
        );
        report(blob, written, blob.size);
      } catch (error) {
        failure ??= { error };
        stop.abort();
      }
      if (failure !== undefined) return;
    }
  };
  await Promise.all(Array.from({ length: Math.min(writer.parallel, blobs.length) }, worker));
  if (failure === undefined) return;
  if (options.signal.aborted && !isSampanError(failure.error)) {
    throw cancelled(`${options.action}: it was cancelled`, { cause: failure.error });
  }
  throw failure.error;
}
