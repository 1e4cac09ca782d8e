/** Puts right what `checkStore` has found: damaged things are set aside, and come again from the blob or the registry. */
import { isSampanError, notFound } from "#errdefs";
import type { ContentStore } from "#content";
import type { Registry } from "#remotes";
import {
  familiarName,
  isLocalReference,
  maxDocumentSize,
  parseManifestDocument,
  parsePlatform,
  parseReference,
  type Descriptor,
  type Digest,
  type Reference,
} from "#spec";
import { harmless, storedImages, type CheckTools, type Finding, type StoredImage } from "./check.ts";
import { collectGarbage, type Collected } from "./garbage.ts";
import { ImageStore } from "./image-store.ts";
import { installImage, type InstallTools } from "./install.ts";
import { Lease } from "./leases.ts";
import type { ImageReader } from "./transfer/endpoints.ts";
import { registryReader } from "./transfer/registry.ts";

export type RepairTools = CheckTools & InstallTools & { readonly registry: Registry };

export interface Repair {
  /** What was done, a line each. */
  readonly done: readonly string[];
  /** What could not be, with the reason and what helps. */
  readonly failed: readonly string[];
  readonly collected: Collected;
}

/**
 * @param findings of a check of the same store; findings of containers are not touched
 * @param signal ends it; it can be begun again
 * @param grace of what nothing needs any more, in milliseconds; that of `collectGarbage` for undefined
 */
export async function repairStore(
  findings: readonly Finding[],
  tools: RepairTools,
  signal: AbortSignal,
  grace: number | undefined = 0,
): Promise<Repair> {
  const { database, content, snapshotter } = tools;
  const done: string[] = [];
  const failed: string[] = [];
  const lost = new Set<string>();
  using lease = new Lease(database);
  for (const { kind, key } of findings) {
    if (kind === "damaged-blob") {
      await lease.use([key], signal);
      if ((await content.verify(key as Digest, signal)) === undefined) continue;
      done.push(`moved blob ${key} to ${content.setAside(key as Digest)}`);
      lost.add(key);
    } else if (kind === "broken-layer") {
      await lease.use([`snapshot:${key}`], signal);
      await snapshotter.discardLayer(key as Digest);
      done.push(`removed layer ${key}`);
      lost.add(key);
    } else if (!harmless.has(kind)) lost.add(key);
  }
  for (const image of storedImages(database)) {
    const keys = new Set(new ImageStore(database, image.namespace).keys(image.target));
    const needs = [...lost].filter((key) => keys.has(key) || keys.has(`snapshot:${key}`));
    if (needs.length === 0) continue;
    const shown = image.names[0] === undefined ? image.config : familiarName(parseReference(image.names[0]));
    try {
      await restore(image, needs, tools, lease, signal);
      done.push(`restored image ${shown}`);
    } catch (error) {
      if (signal.aborted || !isSampanError(error)) throw error;
      failed.push(`${error.message}. ${remedyFor(image, shown)}`);
    }
  }
  return { done, failed, collected: await collectGarbage(tools, grace) };
}

function remedyFor({ names, platform, namespace }: StoredImage, shown: string): string {
  const space = namespace === "default" ? "" : ` --namespace ${namespace}`;
  if (origins(names).length > 0) return `sampan${space} pull --platform ${platform} ${shown} repairs it`;
  return `Load or build it again, or remove it with sampan${space} rmi ${shown}`;
}

const origins = (names: readonly string[]): readonly Reference[] =>
  names.map((name) => parseReference(name)).filter((reference) => !isLocalReference(reference));

/** Gets what is missing of an image, as a pull of it would, from wherever it has a name. */
async function restore(
  image: StoredImage,
  lost: readonly string[],
  tools: RepairTools,
  lease: Lease,
  signal: AbortSignal,
): Promise<void> {
  const { content, database, registry } = tools;
  const shown = image.names[0] === undefined ? image.config : familiarName(parseReference(image.names[0]));
  const store = new ImageStore(database, image.namespace);
  const from = origins(image.names);
  const reader = anyOrigin(from, registry, shown);
  // The configuration is in the database too: it is taken from there when its blob is not.
  const config = Buffer.from(image.configText);
  if (image.configText !== "" && !content.has(image.config)) {
    await content
      .write({ digest: image.config, size: config.length }, (offset) => once(config.subarray(offset)))
      .catch(() => undefined);
  }
  const target = await describe(image.target, content, async (digest) => {
    let failure: unknown = missing(shown, digest);
    for (const { domain, path } of from) {
      try {
        return await registry.resolve({ domain, path, digest }, { signal });
      } catch (error) {
        if (signal.aborted || !isSampanError(error)) throw error;
        failure = error;
      }
    }
    throw failure;
  });
  const request = {
    names: [],
    shown,
    verb: "repair",
    status: "pulling",
    platform: parsePlatform(image.platform),
    onProgress: undefined,
    signal,
  } as const;
  await installImage({ request, tools: { ...tools, store }, reader, lease, made: [] }, target);
  const text = new TextDecoder().decode(await content.readBytes(image.manifest, maxDocumentSize));
  const document = parseManifestDocument(text);
  for (const layer of document.kind === "manifest" ? document.manifest.layers : []) {
    if (!lost.includes(layer.digest)) continue;
    await content.write(layer, (offset) => reader.readBlob(layer, offset, signal), signal);
  }
}

/** Descriptor of a manifest or index, from its bytes where they are here. */
async function describe(
  digest: Digest,
  content: ContentStore,
  resolve: (digest: Digest) => Promise<Descriptor>,
): Promise<Descriptor> {
  if (!content.has(digest)) return await resolve(digest);
  const bytes = await content.readBytes(digest, maxDocumentSize);
  const parsed = parseManifestDocument(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  const { mediaType } = parsed.kind === "index" ? parsed.index : parsed.manifest;
  return { mediaType, digest, size: bytes.length };
}

/** Reads from the first origin that has it. */
function anyOrigin(from: readonly Reference[], registry: Registry, shown: string): ImageReader {
  const readers = from.map((reference) => registryReader(registry, reference));
  const nowhere = (digest: Digest): Error => missing(shown, digest);
  return {
    readManifest: async (descriptor, signal) => {
      let failure: unknown = nowhere(descriptor.digest);
      for (const reader of readers) {
        try {
          return await reader.readManifest(descriptor, signal);
        } catch (error) {
          if (signal.aborted || !isSampanError(error)) throw error;
          failure = error;
        }
      }
      throw failure;
    },
    readBlob: async function* readBlob(descriptor, offset, signal) {
      let position = offset;
      let failure: unknown = nowhere(descriptor.digest);
      for (const reader of readers) {
        try {
          for await (const chunk of reader.readBlob(descriptor, position, signal)) {
            position += chunk.length;
            yield chunk;
          }
          return;
        } catch (error) {
          if (signal.aborted || !isSampanError(error)) throw error;
          failure = error;
        }
      }
      throw failure;
    },
  };
}

function missing(shown: string, digest: Digest): Error {
  return notFound(`Cannot repair "${shown}": ${digest} is on this machine no more, and it is from no registry`);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
