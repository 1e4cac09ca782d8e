import { hash } from "node:crypto";
import type { Digest } from "#spec";

/**
 * Names of the snapshots of an image's layers, bottom first: each stands for its layer and all below it (image-spec
 * config.md, "Layer ChainID").
 */
export function chainIds(diffIds: readonly Digest[]): readonly Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds) {
    const parent = chain.at(-1);
    chain.push(parent === undefined ? diffId : (`sha256:${hash("sha256", `${parent} ${diffId}`)}` as Digest));
  }
  return chain;
}
