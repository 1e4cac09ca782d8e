import { notFound } from "#errdefs";
import { parseReference, type Platform } from "#spec";
import { displayName } from "./image-store.ts";
import { Lease } from "./leases.ts";
import { holdImage } from "./hold-image.ts";
import type { OnProgress } from "./progress.ts";
import type { PushTools } from "./push.ts";
import { ArchiveWriter, type Sink } from "./transfer/archive-writer.ts";
import { chooseRoot } from "./transfer/root.ts";
import { storeReader } from "./transfer/store.ts";
import { transferImage } from "./transfer/transfer.ts";

export interface SaveRequest {
  readonly images: readonly string[];
  readonly platform: Platform | undefined;
  readonly onProgress: OnProgress | undefined;
  readonly signal: AbortSignal;
}

/** Writes images as one archive; each blob once, byte for byte as it was pulled. */
export async function saveImages(request: SaveRequest, sink: Sink, tools: PushTools): Promise<void> {
  const { images, platform, onProgress, signal } = request;
  const { content, database, registry, store } = tools;
  const writer = new ArchiveWriter(sink);
  using lease = new Lease(database);
  // One image under several names is listed once, with all of them.
  const wanted = new Map<string, { readonly shown: string; readonly names: Set<string> }>();
  for (const shown of images) {
    const image = store.resolve(shown, platform);
    const known = wanted.get(image.manifest) ?? { shown, names: new Set() };
    if (image.name !== image.id) known.names.add(image.name);
    wanted.set(image.manifest, known);
  }
  for (const { shown, names } of wanted.values()) {
    const image = await holdImage(lease, store, () => store.resolve(shown, platform), signal);
    const action = `Cannot save "${image.name === image.id ? shown : displayName(image.name)}"`;
    if (!content.has(image.manifest)) throw notFound(`${action}: its manifest is not on this machine`);
    const root = await chooseRoot(image, content, { one: platform !== undefined, whole: false });
    const reader = storeReader(store.names(image.target), action, { content, store, registry, lease });
    await transferImage(reader, writer, root.descriptor, { action, onProgress, signal, status: "saving" });
    if (root.isPart && platform === undefined) {
      onProgress?.({ digest: image.target, status: "partial", current: 0, total: 0 });
    }
    writer.list(
      root.descriptor,
      image.manifest,
      [...names].map((name) => parseReference(name)),
    );
  }
  await writer.finish();
}
