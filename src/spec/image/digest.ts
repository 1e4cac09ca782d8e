import { invalidArgument } from "#errdefs";
import type { Digest } from "./types.ts";

/** Algorithms that image-spec descriptor.md registers; sha512 is optional there. */
export type DigestAlgorithm = "sha256" | "sha512";

const pattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** True when `value` is a digest as {@link parseDigest} takes it. */
export function isDigest(value: string): value is Digest {
  return pattern.test(value);
}

/**
 * Checks a digest, so that it can be compared, and be part of a path (CVE-2024-3727 was a digest with `..` in it).
 *
 * @throws SampanError `invalid-argument`
 */
export function parseDigest(value: string): Digest {
  if (isDigest(value)) return value;
  throw invalidArgument(`Cannot use digest "${value.slice(0, 160)}": ${problem(value)}`);
}

/** Algorithm of a digest. */
export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.startsWith("sha256:") ? "sha256" : "sha512";
}

/** Hexadecimal digits of a digest, without the algorithm. */
export function digestHex(digest: Digest): string {
  return digest.slice(7);
}

/** What is wrong with a digest, to stand after a colon. */
export function digestProblem(value: string): string | undefined {
  return isDigest(value) ? undefined : problem(value);
}

function problem(value: string): string {
  const colon = value.indexOf(":");
  const algorithm = value.slice(0, Math.max(colon, 0));
  const hex = value.slice(colon + 1);
  if (colon < 1) return "no algorithm, must be sha256: and 64 hexadecimal digits";
  if (algorithm !== "sha256" && algorithm !== "sha512") {
    return `algorithm ${algorithm.slice(0, 40)} is not known, must be sha256 or sha512`;
  }
  const length = algorithm === "sha256" ? 64 : 128;
  if (hex.length !== length) return `${hex.length} digits after ${algorithm}:, must be ${length}`;
  return "must be lower-case hexadecimal digits";
}
