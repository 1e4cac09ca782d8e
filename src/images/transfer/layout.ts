/** A folder in the OCI image layout as a place that images come from and go to. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { dataLoss, notFound, resourceExhausted } from "#errdefs";
import {
  digestAlgorithm,
  digestHex,
  defaultDocumentSize,
  mediaTypes,
  parseIndex,
  parseManifestDocument,
  type Descriptor,
  type Digest,
} from "#spec";
import type { ImageReader, ImageWriter, Written } from "./endpoints.ts";

const tagName = "org.opencontainers.image.ref.name";
const parallel = 4;
let counter = 0;

/** What a layout lists; nothing where there is none. */
async function readLayoutIndex(directory: string): Promise<readonly Descriptor[]> {
  const path = join(directory, "index.json");
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  return text === undefined ? [] : parseIndex(text, mediaTypes.ociIndex).manifests;
}

/**
 * Finds an image in a layout.
 *
 * @param tag undefined for the only one
 * @throws SampanError `not-found` when there is none, or several and no tag
 */
export async function findInLayout(directory: string, tag: string | undefined): Promise<Descriptor> {
  const all = await readLayoutIndex(directory);
  const found =
    tag === undefined
      ? all.filter(({ artifactType }) => artifactType === undefined)
      : all.filter(({ annotations }) => annotations?.[tagName] === tag);
  const [first] = found;
  if (first !== undefined && (tag !== undefined || found.length === 1)) {
    return { mediaType: first.mediaType, digest: first.digest, size: first.size };
  }
  const state =
    tag !== undefined ? `it has no "${tag}"` : all.length === 0 ? "it is empty" : `it has ${all.length} images`;
  throw notFound(`Cannot find an image in "${directory}": ${state}`, {
    path: directory,
    remedy: "Name one of its images behind a colon",
  });
}

export function layoutReader(directory: string): ImageReader {
  return {
    readManifest: async ({ digest, size }) => {
      if (size > defaultDocumentSize) throw resourceExhausted(`Cannot read manifest "${digest}": it is too large`);
      const path = blobPath(directory, digest);
      const facts = await stat(path).catch(() => undefined);
      if (facts === undefined) throw missing(directory, digest);
      if (facts.size > defaultDocumentSize)
        throw resourceExhausted(`Cannot read manifest "${digest}": it is too large`);
      const bytes = await readFile(path);
      if (createHash(digestAlgorithm(digest)).update(bytes).digest("hex") === digestHex(digest)) return bytes;
      throw dataLoss(`Cannot read manifest "${digest}": it has another digest in "${directory}"`, { path: directory });
    },
    readBlob: async function* readBlob({ digest }, offset) {
      const path = blobPath(directory, digest);
      if ((await stat(path).catch(() => undefined)) === undefined) throw missing(directory, digest);
      yield* createReadStream(path, { start: offset, highWaterMark: 1024 * 1024 }) as AsyncIterable<Uint8Array>;
    },
    referrers: async (digest) => await referrersIn(directory, digest),
  };
}

/** Those of a layout's manifests that say that they refer to one. */
async function referrersIn(directory: string, subject: Digest): Promise<readonly Descriptor[]> {
  const reader = layoutReader(directory);
  const { signal } = new AbortController();
  const found: Descriptor[] = [];
  for (const descriptor of await readLayoutIndex(directory)) {
    const text = Buffer.from(await reader.readManifest(descriptor, signal)).toString("utf8");
    const document = parseManifestDocument(text, descriptor.mediaType);
    const parsed = document.kind === "index" ? document.index : document.manifest;
    if (parsed.subject?.digest === subject) found.push(descriptor);
  }
  return found;
}

function missing(directory: string, digest: Digest): Error {
  return notFound(`Cannot read "${directory}": it has no blob ${digest}`, { path: digest });
}

/** @param tag of the image; what had it before loses it */
export function layoutWriter(directory: string, tag: string | undefined): ImageWriter {
  const writeBlob = async (
    { digest, size }: Descriptor,
    source: (offset: number) => AsyncIterable<Uint8Array>,
    onProgress: (current: number) => void,
  ): Promise<Written> => {
    const path = blobPath(directory, digest);
    const facts = await stat(path).catch(() => undefined);
    if (facts?.size === size) return "exists";
    await mkdir(join(directory, "blobs", digestAlgorithm(digest)), { recursive: true });
    counter += 1;
    const temporary = `${path}.${process.pid}.${counter}`;
    const hash = createHash(digestAlgorithm(digest));
    const file = await open(temporary, "wx", 0o644);
    try {
      let position = 0;
      for await (const chunk of source(0)) {
        position += chunk.length;
        if (position > size) break;
        hash.update(chunk);
        await file.writeFile(chunk);
        onProgress(position);
      }
      if (position !== size || hash.digest("hex") !== digestHex(digest)) {
        throw dataLoss(`Cannot write blob "${digest}" to "${directory}": what came has other bytes`, { path: digest });
      }
      await file.datasync();
      await rename(temporary, path);
      return "done";
    } finally {
      await file.close();
      await rm(temporary, { force: true });
    }
  };
  return {
    parallel,
    writeBlob,
    writeManifest: async (descriptor, bytes, role) => {
      const once = async function* once(): AsyncGenerator<Uint8Array> {
        yield bytes;
      };
      await writeBlob({ ...descriptor, size: bytes.length }, once, () => undefined);
      if (role === "part") return;
      const { mediaType, digest, size, artifactType } = descriptor;
      const name = role === "root" ? tag : undefined;
      const others = (await readLayoutIndex(directory)).filter(({ annotations, digest: other }) =>
        name === undefined ? other !== digest : annotations?.[tagName] !== name,
      );
      const entry = {
        mediaType,
        digest,
        size,
        ...(artifactType !== undefined && { artifactType }),
        ...(name !== undefined && { annotations: { [tagName]: name } }),
      };
      await writeFile(join(directory, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
      const temporary = join(directory, `index.json.${process.pid}`);
      const manifests = [...others, entry];
      await writeFile(temporary, JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }));
      await rename(temporary, join(directory, "index.json"));
    },
  };
}

function blobPath(directory: string, digest: Digest): string {
  return join(directory, "blobs", digestAlgorithm(digest), digestHex(digest));
}
