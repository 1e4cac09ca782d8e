import { describe, expect, test } from "vitest";
import { formatPlatform, normalizePlatform, parsePlatform, platformDistance } from "./platform.ts";
import { selectManifest } from "./select.ts";
import { mediaTypes } from "./media-types.ts";
import type { Descriptor, Digest } from "./types.ts";

test.each([
  ["linux/amd64", "linux/amd64"],
  ["linux/x86_64", "linux/amd64"],
  ["Linux/X86-64", "linux/amd64"],
  ["linux/amd64/v1", "linux/amd64"],
  ["linux/amd64/v3", "linux/amd64/v3"],
  ["amd64", "linux/amd64"],
  ["aarch64", "linux/arm64"],
  ["linux/arm64/v8", "linux/arm64"],
  ["linux/arm64/8", "linux/arm64"],
  ["linux/arm64/v9.0", "linux/arm64/v9"],
  ["linux/arm", "linux/arm/v7"],
  ["linux/arm/v6", "linux/arm/v6"],
  ["linux/arm/6", "linux/arm/v6"],
  ["armhf", "linux/arm/v7"],
  ["armel", "linux/arm/v6"],
  ["i386", "linux/386"],
  ["macos/arm64", "darwin/arm64"],
  ["linux/riscv64", "linux/riscv64"],
])("parsePlatform() reads %s as %s", (text, expected) => {
  expect(formatPlatform(parsePlatform(text))).toBe(expected);
});

test.each(["", "linux/", "/amd64", "linux/amd64/v1/x", "linux/am d64", "pdp11", "linux/../x"])(
  "parsePlatform() refuses %j",
  (text) => {
    expect(() => parsePlatform(text)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  },
);

test("normalizePlatform() keeps the version of the operating system", () => {
  expect(normalizePlatform({ os: "Windows", architecture: "x64", osVersion: "10.0" })).toEqual({
    os: "windows",
    architecture: "amd64",
    osVersion: "10.0",
  });
});

test.each([
  ["linux/amd64", "linux/amd64", 0],
  ["linux/amd64/v3", "linux/amd64/v2", 10],
  ["linux/amd64/v3", "linux/amd64", 20],
  ["linux/amd64", "linux/amd64/v2", undefined],
  ["linux/amd64", "linux/386", 100],
  ["linux/amd64", "linux/arm64", undefined],
  ["linux/amd64", "windows/amd64", undefined],
  ["linux/arm/v7", "linux/arm/v6", 10],
  ["linux/arm/v6", "linux/arm/v7", undefined],
  ["linux/arm64", "linux/arm/v7", 110],
  ["linux/arm64/v9", "linux/arm64", 10],
  ["linux/arm64", "linux/arm64/v9", undefined],
])("platformDistance() from %s to %s is %s", (wanted, candidate, distance) => {
  expect(platformDistance(parsePlatform(wanted), parsePlatform(candidate))).toBe(distance);
});

const entry = (number: number, platform?: string, extra: Partial<Descriptor> = {}): Descriptor => ({
  mediaType: mediaTypes.ociManifest,
  digest: `sha256:${String(number).padStart(64, "0")}` as Digest,
  size: 1,
  ...(platform !== undefined && { platform: parsePlatform(platform) }),
  ...extra,
});
const index = (...manifests: Descriptor[]) => ({ mediaType: mediaTypes.ociIndex, manifests });

describe("selectManifest", () => {
  test("prefers the exact platform, whatever the order", () => {
    const exact = entry(3, "linux/amd64");
    const manifests = [entry(1, "linux/386"), entry(2, "linux/arm64"), exact, entry(4, "linux/amd64")];
    expect(selectManifest(index(...manifests), parsePlatform("linux/amd64"))).toBe(exact);
  });

  test("takes the nearest older variant", () => {
    const v6 = entry(2, "linux/arm/v6");
    expect(selectManifest(index(entry(1, "linux/arm/v5"), v6), parsePlatform("linux/arm/v7"))).toBe(v6);
  });

  test("never picks attestations or what is no manifest", () => {
    const attestations = [
      entry(1, undefined, { platform: { os: "unknown", architecture: "unknown" } }),
      entry(2, "linux/amd64", { annotations: { "vnd.docker.reference.type": "attestation-manifest" } }),
      entry(3, "linux/amd64", { mediaType: "application/vnd.example" }),
    ];
    const real = entry(4, "linux/amd64");
    expect(selectManifest(index(...attestations, real), parsePlatform("linux/amd64"))).toBe(real);
    expect(() => selectManifest(index(...attestations), parsePlatform("linux/amd64"))).toThrow(
      'Cannot find a manifest for platform "linux/amd64": the image is for none',
    );
  });

  test("takes an entry without a platform only where nothing else matches", () => {
    const bare = entry(1);
    const exact = entry(2, "linux/amd64");
    expect(selectManifest(index(bare, exact), parsePlatform("linux/amd64"))).toBe(exact);
    expect(selectManifest(index(bare, exact), parsePlatform("linux/s390x"))).toBe(bare);
  });

  test("names the platforms that there are", () => {
    const manifests = [entry(1, "linux/arm/v7"), entry(2, "linux/arm64"), entry(3, "linux/arm64")];
    expect(() => selectManifest(index(...manifests), parsePlatform("linux/amd64"))).toThrow(
      expect.objectContaining({
        code: "not-found",
        message: 'Cannot find a manifest for platform "linux/amd64": the image is for linux/arm/v7, linux/arm64',
      }),
    );
  });
});
