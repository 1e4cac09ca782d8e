import { landlockFileRights, landlockNetworkRights, landlockScopes, type LandlockConfig } from "#spec";
import type { Operation } from "../operation.gen.ts";
import { absolutePath } from "./paths.ts";

/** Names to bits, by their place in the table. */
const mask = (names: readonly string[], table: readonly string[]): bigint =>
  names.reduce((bits, name) => bits | (1n << BigInt(table.indexOf(name))), 0n);

/** The annotation, compiled: one rule for each path and port. */
export function landlockOperation(config: LandlockConfig): Operation {
  return {
    op: "landlock",
    handledFiles: mask(config.handledFiles, landlockFileRights),
    handledNetwork: mask(config.handledNetwork, landlockNetworkRights),
    scoped: mask(config.scoped, landlockScopes),
    bestEffort: config.bestEffort,
    paths: config.paths.flatMap(({ access, paths }) =>
      paths.map((path) => ({
        path: absolutePath(path, "allow access below"),
        access: mask(access, landlockFileRights),
      })),
    ),
    ports: config.ports.flatMap(({ access, ports }) =>
      ports.map((port) => ({ port, access: mask(access, landlockNetworkRights) })),
    ),
  };
}
