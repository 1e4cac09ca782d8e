/** What registries serve, and how it is checked. `action` starts each error's message. */
import { createHash } from "node:crypto";
import { dataLoss, invalidArgument, type SampanError, unsupported } from "#errdefs";
import { digestAlgorithm, digestHex, isSchema1MediaType, manifestMediaTypes, type Digest } from "#spec";
import type { HttpResponse } from "./http.ts";

export function mediaTypeOf(response: HttpResponse): string {
  return (response.headers["content-type"] ?? "").split(";", 1)[0]?.trim() ?? "";
}

export function isServedType(type: string): boolean {
  return manifestMediaTypes.includes(type) || isSchema1MediaType(type);
}

export function schema1(action: string): SampanError {
  return unsupported(`${action}: it is in Docker's schema 1, which cannot be verified`, {
    remedy: "Push the image again with a current tool",
  });
}

export function verify(action: string, bytes: Uint8Array, digest: Digest): void {
  const actual = createHash(digestAlgorithm(digest)).update(bytes).digest("hex");
  if (actual === digestHex(digest)) return;
  throw dataLoss(`${action}: the manifest must have digest ${digest}, but it has ${actual}`, {
    remedy: "Try again; when it stays, the registry or something on the way changes the data",
  });
}

export function wrongSize(action: string, digest: Digest, size: number, actual: number | string): SampanError {
  return dataLoss(`${action}: manifest ${digest} must have ${size} bytes, but it has ${actual}`, {
    remedy: "Report it to whoever runs the registry",
  });
}

export function decode(action: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw invalidArgument(`${action}: its manifest is not UTF-8`, { cause: error });
  }
}
