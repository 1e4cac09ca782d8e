import type { Digest, HistoryEntry } from "#spec";
import type { ImageStore, ResolvedImage } from "./image-store.ts";

export interface ImageHistory extends HistoryEntry {
  /** Snapshot of the layer, undefined where none belongs to the entry. */
  readonly layer: Digest | undefined;
  /** Bytes of the layer's tar stream. */
  readonly size: number;
}

/** How an image came to be, the newest first. Layers that its configuration says nothing of are entries without words. */
export function imageHistory(image: ResolvedImage, store: ImageStore): readonly ImageHistory[] {
  const layers = image.layers.values();
  const entries: ImageHistory[] = [];
  const silent: HistoryEntry = { created: "", createdBy: "", comment: "", emptyLayer: false };
  const add = (entry: HistoryEntry, layer: Digest | undefined): void =>
    void entries.push({ ...entry, layer, size: layer === undefined ? 0 : store.layerSize(layer) });
  for (const entry of image.config.history ?? []) add(entry, entry.emptyLayer ? undefined : layers.next().value);
  for (const layer of layers) add(silent, layer);
  return entries.toReversed();
}
