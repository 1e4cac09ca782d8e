/** An archive as a place that images go to: an OCI layout and a Docker archive in one tar, streamed as it is made. */
import { createHash } from "node:crypto";
import { dataLoss } from "#errdefs";
import {
  digestAlgorithm,
  digestHex,
  familiarName,
  formatReference,
  isManifestMediaType,
  mediaTypes,
  parseManifest,
  type Descriptor,
  type Digest,
  type ImageManifest,
  type Reference,
} from "#spec";
import { header } from "../builtin/tar-writer.ts";
import type { ImageWriter, Written } from "./endpoints.ts";

/** Takes a chunk, which must not be changed after; resolves when more may come. */
export type Sink = (chunk: Uint8Array) => Promise<void>;

/** What is said of an image in the archive. */
interface Listed {
  readonly root: Descriptor;
  /** The one that Docker's list is to show, as it knows no index. */
  readonly manifest: Digest;
  readonly names: readonly Reference[];
}

const block = 512;
const fileMode = 0o644;
/** Equal images make equal archives. */
const modified = 0;

export class ArchiveWriter implements ImageWriter {
  /** A tar is written from its start to its end. */
  readonly parallel = 1;
  readonly #sink: Sink;
  readonly #written = new Set<Digest>();
  readonly #manifests = new Map<Digest, ImageManifest>();
  readonly #listed: Listed[] = [];

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  async writeBlob(
    descriptor: Descriptor,
    source: (offset: number) => AsyncIterable<Uint8Array>,
    onProgress: (current: number) => void,
  ): Promise<Written> {
    const { digest, size } = descriptor;
    if (this.#written.has(digest)) return "exists";
    const hash = createHash(digestAlgorithm(digest));
    await this.#sink(header({ kind: "file", path: blobPath(digest), mode: fileMode, source: "", size }, modified));
    let position = 0;
    for await (const chunk of source(0)) {
      position += chunk.length;
      if (position > size) break;
      hash.update(chunk);
      await this.#sink(chunk);
      onProgress(position);
    }
    const actual = hash.digest("hex");
    if (position !== size || actual !== digestHex(digest)) {
      throw dataLoss(`Cannot save blob "${digest}": what is here has other bytes`, {
        path: digest,
        remedy: "Remove the image, pull it again, and check the disk",
      });
    }
    if (size % block !== 0) await this.#sink(Buffer.alloc(block - (size % block)));
    this.#written.add(digest);
    return "done";
  }

  async writeManifest(descriptor: Descriptor, bytes: Uint8Array): Promise<void> {
    if (isManifestMediaType(descriptor.mediaType) && !this.#manifests.has(descriptor.digest)) {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
      this.#manifests.set(descriptor.digest, parseManifest(text, descriptor.mediaType));
    }
    const once = async function* once(): AsyncGenerator<Uint8Array> {
      yield bytes;
    };
    await this.writeBlob({ ...descriptor, size: bytes.length }, once, () => undefined);
  }

  /** Lists an image that was written. */
  list(root: Descriptor, manifest: Digest, names: readonly Reference[]): void {
    this.#listed.push({ root, manifest, names });
  }

  /** Writes the lists and the archive's end. */
  async finish(): Promise<void> {
    await this.#file("oci-layout", { imageLayoutVersion: "1.0.0" });
    await this.#file("index.json", {
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: this.#listed.flatMap((listed) => this.#entries(listed)),
    });
    await this.#file(
      "manifest.json",
      this.#listed.flatMap(({ manifest, names }) => {
        const parsed = this.#manifests.get(manifest);
        if (parsed === undefined) return [];
        return {
          Config: blobPath(parsed.config.digest),
          RepoTags: names.filter(({ tag }) => tag !== undefined).map(familiarName),
          Layers: parsed.layers.map(({ digest }) => blobPath(digest)),
        };
      }),
    );
    await this.#sink(Buffer.alloc(2 * block));
  }

  /** One for each name: containerd reads the whole name, others the tag, which must stand for one image only. */
  #entries({ root, names }: Listed): readonly object[] {
    const { mediaType, digest, size } = root;
    if (names.length === 0) return [{ mediaType, digest, size }];
    return names.map((name) => {
      const same = this.#listed.flatMap((listed) => listed.names).filter(({ tag }) => tag === name.tag);
      const short = name.tag !== undefined && same.length === 1 ? name.tag : familiarName(name);
      const annotations = {
        "io.containerd.image.name": formatReference(name),
        "org.opencontainers.image.ref.name": short,
      };
      return { mediaType, digest, size, annotations };
    });
  }

  async #file(path: string, content: object): Promise<void> {
    const bytes = Buffer.from(JSON.stringify(content));
    await this.#sink(header({ kind: "bytes", path, mode: fileMode, bytes }, modified));
    await this.#sink(bytes);
    if (bytes.length % block !== 0) await this.#sink(Buffer.alloc(block - (bytes.length % block)));
  }
}

function blobPath(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}
