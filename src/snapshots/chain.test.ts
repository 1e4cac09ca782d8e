import { expect, it } from "vitest";
import { parseDigest } from "#spec";
import { chainIds } from "./chain.ts";

const one = parseDigest("sha256:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed");
const two = parseDigest("sha256:3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3");

it("chainIds() gives the digest of all layers up to each one, as sha256sum computes it", () => {
  expect(chainIds([])).toEqual([]);
  expect(chainIds([one, two, one])).toEqual([
    one,
    "sha256:ee90d7132b9e9a049b7b0a88db345ca31fb5e8a74a5ee57210478a9a2522d499",
    "sha256:280fb78c3732a7997563281fef922ad6f83d98308453cb9911b0402e84d3e89b",
  ]);
});
