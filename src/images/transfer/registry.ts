/** A repository of a registry as a place that images come from and go to. */
import type { Registry } from "#remotes";
import type { Descriptor, Reference } from "#spec";
import type { ImageReader, ImageWriter, Written } from "./endpoints.ts";

/** Uploads at once; more only share the same line. */
const parallel = 4;

export function registryReader(registry: Registry, reference: Reference): ImageReader {
  return {
    readManifest: async (descriptor, signal) => (await registry.fetchManifest(reference, descriptor, { signal })).bytes,
    readBlob: (descriptor, offset, signal) => registry.fetchBlob(reference, descriptor, { offset, signal }),
    referrers: async (digest, signal) => await registry.referrers(reference, digest, { signal }),
    distrust: async (descriptor) => await registry.distrust(reference, descriptor),
  };
}

/** @param mountFrom repositories of the same registry that may have a blob */
export function registryWriter(
  registry: Registry,
  reference: Reference,
  mountFrom: (descriptor: Descriptor) => readonly string[] = () => [],
): ImageWriter {
  return {
    parallel,
    writeBlob: async (descriptor, source, onProgress, signal): Promise<Written> =>
      await registry.pushBlob(reference, descriptor, source, { mountFrom: mountFrom(descriptor), onProgress, signal }),
    writeManifest: async (descriptor, bytes, role, signal) => {
      await registry.pushManifest(reference, descriptor, bytes, {
        tag: role === "root" && reference.digest === undefined ? reference.tag : undefined,
        signal,
      });
    },
  };
}
