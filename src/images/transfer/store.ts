/** The content store as a place that images come from. */
import type { ContentStore } from "#content";
import { failedPrecondition, isSampanError } from "#errdefs";
import type { Registry } from "#remotes";
import { isLocalReference, maxDocumentSize, parseReference, type Descriptor, type Reference } from "#spec";
import type { ImageStore } from "../image-store.ts";
import type { Lease } from "../leases.ts";
import type { ImageReader } from "./endpoints.ts";

export interface StoreReaderTools {
  readonly content: ContentStore;
  readonly store: ImageStore;
  readonly registry: Registry;
  readonly lease: Lease;
}

/**
 * Reads an image's manifests and compressed layers as they were pulled. A layer that was never downloaded, as its content
 * had been unpacked from another image, is fetched now from where the image came from.
 *
 * @param names of the image, which say where it may have come from
 * @param action start of an error's message
 */
export function storeReader(names: readonly string[], action: string, tools: StoreReaderTools): ImageReader {
  const { content, registry, lease } = tools;
  const origins = names.map((name) => parseReference(name)).filter((reference) => !isLocalReference(reference));

  const fetch = async (descriptor: Descriptor, signal: AbortSignal, get: (origin: Reference) => Promise<void>) => {
    await lease.use([descriptor.digest], signal);
    if (content.has(descriptor.digest)) return;
    let failure: unknown;
    for (const origin of origins) {
      try {
        await get(origin);
        return;
      } catch (error) {
        if (signal.aborted || !isSampanError(error)) throw error;
        failure ??= error;
      }
    }
    throw failedPrecondition(`${action}: ${descriptor.digest} is not on this machine`, {
      path: descriptor.digest,
      remedy: "Pull the image from where it comes from, and name the platform that is wanted",
      cause: failure,
    });
  };
  return {
    readManifest: async (descriptor, signal) => {
      await fetch(descriptor, signal, async (origin) => {
        const { bytes } = await registry.fetchManifest(origin, descriptor, { signal });
        await content.write(descriptor, (offset) => once(bytes.subarray(offset)));
      });
      return await content.readBytes(descriptor.digest, maxDocumentSize);
    },
    readBlob: async function* readBlob(descriptor, offset, signal) {
      await fetch(descriptor, signal, async (origin) => {
        await content.write(descriptor, (from) => registry.fetchBlob(origin, descriptor, { offset: from, signal }));
      });
      yield* skip(content.openRead(descriptor.digest), offset);
    },
    // The store has none: they are where the image came from.
    referrers: async (digest, signal) => {
      for (const origin of origins) {
        const found = await registry.referrers(origin, digest, { signal });
        if (found.length > 0) return found;
      }
      return [];
    },
  };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* skip(source: AsyncIterable<Uint8Array>, offset: number): AsyncGenerator<Uint8Array> {
  let left = offset;
  for await (const chunk of source) {
    if (left >= chunk.length) left -= chunk.length;
    else {
      yield left === 0 ? chunk : chunk.subarray(left);
      left = 0;
    }
  }
}
