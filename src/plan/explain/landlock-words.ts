import { landlockFileRights, landlockNetworkRights, landlockScopes } from "#spec";
import type { OperationLandlock } from "../operation.gen.ts";

const names = (bits: bigint, table: readonly string[]): readonly string[] =>
  table.filter((_, bit) => ((bits >> BigInt(bit)) & 1n) === 1n);

/** `forbid with Landlock: write_file, make_reg but for write_file in /tmp` */
export function landlockWords(o: OperationLandlock): string {
  const denied = [
    ...names(o.handledFiles, landlockFileRights),
    ...names(o.handledNetwork, landlockNetworkRights),
    ...names(o.scoped, landlockScopes).map((scope) => `${scope} to the outside`),
  ];
  const rules = [
    ...o.paths.map(({ path, access }) => `${names(access, landlockFileRights).join(" ")} in ${path}`),
    ...o.ports.map(({ port, access }) => `${names(access, landlockNetworkRights).join(" ")} on port ${port}`),
  ];
  const effort = o.bestEffort ? ", as far as the kernel has it" : "";
  return `forbid with Landlock${effort}: ${denied.join(", ")}${rules.length === 0 ? "" : `; but allow ${rules.join(", ")}`}`;
}
