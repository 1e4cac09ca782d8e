import { createHash } from "node:crypto";
import { digestAlgorithm, type Digest } from "#spec";
import type { ChainId } from "./snapshotter.ts";

/**
 * Chain ids of an image's layers, bottom first like `diffIds`: the first is the diff id itself, each other one the digest
 * of the chain id below, a space and the diff id (image-spec config.md, "Layer ChainID").
 */
export function chainIds(diffIds: readonly Digest[]): ChainId[] {
  const chain: ChainId[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    if (below === undefined) chain.push(diffId);
    else {
      const algorithm = digestAlgorithm(diffId);
      chain.push(`${algorithm}:${createHash(algorithm).update(`${below} ${diffId}`).digest("hex")}` as ChainId);
    }
  }
  return chain;
}
