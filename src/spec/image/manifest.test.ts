import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SampanError } from "#errdefs";
import { parseImageConfig } from "./config.ts";
import { parseDescriptor } from "./descriptor.ts";
import { parseDigest } from "./digest.ts";
import { parseIndex, parseManifest, parseManifestDocument } from "./manifest.ts";
import { isForeignLayerMediaType, layerCompression, mediaTypes } from "./media-types.ts";
import { maxDocumentSize } from "./reader.ts";

function outcome(action: () => unknown): unknown {
  try {
    action();
    return undefined;
  } catch (error) {
    return error;
  }
}

const digest = `sha256:${"ab".repeat(32)}`;
const descriptor = (mediaType: string, extra: object = {}) => ({ mediaType, digest, size: 12, ...extra });
const config = descriptor(mediaTypes.ociConfig);
const layer = descriptor(mediaTypes.ociLayerGzip);
const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer] };
const index = {
  schemaVersion: 2,
  mediaType: mediaTypes.ociIndex,
  manifests: [descriptor(mediaTypes.ociManifest, { platform: { os: "linux", architecture: "x86_64" } })],
};
const refusal = (path: string, state: string, document = "the image manifest") =>
  expect.objectContaining({
    code: "invalid-argument",
    message: `Cannot read ${document}: ${path === "" ? "it" : path} ${state}`,
  });

describe("parseDigest", () => {
  test("takes sha256 and sha512", () => {
    expect(parseDigest(digest)).toBe(digest);
    expect(parseDigest(`sha512:${"0".repeat(128)}`)).toBe(`sha512:${"0".repeat(128)}`);
  });

  test.each([
    "",
    "sha256",
    `sha256:${"AB".repeat(32)}`,
    "sha256:../../etc/passwd",
    `sha1:${"0".repeat(40)}`,
    `${digest}\n`,
  ])("refuses %j", (text) => {
    expect(() => parseDigest(text)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  });
});

describe("parseManifest", () => {
  test("reads an OCI manifest, and Docker's", () => {
    expect(parseManifest(JSON.stringify(manifest), mediaTypes.ociManifest)).toEqual({
      mediaType: mediaTypes.ociManifest,
      config,
      layers: [layer],
    });
    const docker = { ...manifest, mediaType: mediaTypes.dockerManifest, annotations: { a: "b" } };
    expect(parseManifest(JSON.stringify(docker))).toEqual({
      mediaType: mediaTypes.dockerManifest,
      config,
      layers: [layer],
      annotations: { a: "b" },
    });
  });

  test("takes an annotation named __proto__ as a key like any other", () => {
    const text = JSON.stringify(manifest).replace("{", '{"annotations":{"__proto__":"x"},');
    const { annotations } = parseManifest(text);
    expect(Object.entries(annotations ?? {})).toEqual([["__proto__", "x"]]);
  });

  test.each<[string, object, string, string]>([
    ["a wrong version", { schemaVersion: 3 }, "schemaVersion", "is 3, must be 2"],
    ["a missing version", { schemaVersion: undefined }, "schemaVersion", "is missing, must be 2"],
    ["missing layers", { layers: undefined }, "layers", "is missing, must be a list"],
    ["layers that are no list", { layers: {} }, "layers", "is an object, must be a list"],
    ["a missing config", { config: undefined }, "config", "is missing, must be an object"],
    ["a negative size", { layers: [layer, { ...layer, size: -1 }] }, "layers[1].size", "is -1, must not be negative"],
    ["a size in text", { layers: [{ ...layer, size: "12" }] }, "layers[0].size", "is a string, must be a number"],
    [
      "a size that is no whole number",
      { layers: [{ ...layer, size: 1.5 }] },
      "layers[0].size",
      "is 1.5, must be a whole number below 2^53",
    ],
    [
      "a size above the limit",
      { layers: [{ ...layer, size: 2 ** 41 }] },
      "layers[0].size",
      "is 2199023255552, at most 1099511627776 is allowed",
    ],
    [
      "a digest that is a path",
      { config: { ...config, digest: "sha256:../../x" } },
      "config.digest",
      "is no digest: 7 digits after sha256:, must be 64",
    ],
    ["an empty media type", { config: { ...config, mediaType: "" } }, "config.mediaType", "is empty"],
    ["NUL in a string", { config: { ...config, mediaType: "a\0b" } }, "config.mediaType", "has a NUL character"],
    [
      "too many layers",
      { layers: Array.from({ length: 1001 }, () => layer) },
      "layers",
      "has 1001 items, at most 1000 are allowed",
    ],
    [
      "fields of an index (CVE-2021-41190)",
      { manifests: [] },
      "",
      "has both manifests and layers, and could be an index or a manifest",
    ],
    [
      "fields of an index in upper case (CVE-2021-41190)",
      { Manifests: [] },
      "",
      "has both manifests and layers, and could be an index or a manifest",
    ],
  ])("refuses %s", (_, change, path, state) => {
    expect(() => parseManifest(JSON.stringify({ ...manifest, ...change }))).toThrow(refusal(path, state));
  });

  test("refuses a document that was served as something else (CVE-2021-41190)", () => {
    expect(() => parseManifestDocument(JSON.stringify(manifest), mediaTypes.ociIndex)).toThrow(
      refusal("mediaType", `is "${mediaTypes.ociManifest}", but it was served as "${mediaTypes.ociIndex}"`),
    );
  });

  test("refuses schema 1 with a remedy", () => {
    for (const [text, type] of [
      ['{"schemaVersion":1,"fsLayers":[]}', ""],
      ["{}", "application/vnd.docker.distribution.manifest.v1+prettyjws"],
    ] as const) {
      expect(() => parseManifest(text, type)).toThrow(
        expect.objectContaining({
          code: "unsupported",
          fields: { remedy: "Push the image again with a current tool" },
        }),
      );
    }
  });

  test("refuses what is no JSON object, and one that is too large", () => {
    expect(() => parseManifest("<html>")).toThrow(refusal("", "is not JSON"));
    expect(() => parseManifest("[]")).toThrow(refusal("", "is a list, must be an object"));
    expect(() => parseManifest(" ".repeat(maxDocumentSize + 1))).toThrow(
      expect.objectContaining({ code: "resource-exhausted" }),
    );
  });

  test("never throws anything but a SampanError", () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), fc.constantFrom("", ...Object.values(mediaTypes)), (text, type) => {
        const outcomes = [outcome(() => parseManifestDocument(text, type)), outcome(() => parseImageConfig(text))];
        expect(outcomes.every((error) => error === undefined || error instanceof SampanError)).toBe(true);
      }),
    );
  });
});

describe("parseIndex", () => {
  test("reads an index and normalizes its platforms", () => {
    expect(parseIndex(JSON.stringify(index))).toEqual({
      mediaType: mediaTypes.ociIndex,
      manifests: [{ ...descriptor(mediaTypes.ociManifest), platform: { os: "linux", architecture: "amd64" } }],
    });
  });

  test("tells an index without a media type by its fields", () => {
    const { mediaType: _, ...bare } = index;
    expect(parseManifestDocument(JSON.stringify(bare)).kind).toBe("index");
    expect(() => parseManifest(JSON.stringify(bare))).toThrow(refusal("", "is an index of several images"));
    expect(() => parseIndex(JSON.stringify(manifest))).toThrow(
      refusal("", "is the manifest of one image", "the image index"),
    );
  });

  test("refuses a platform without an architecture", () => {
    const broken = { ...index, manifests: [descriptor(mediaTypes.ociManifest, { platform: { os: "linux" } })] };
    expect(() => parseIndex(JSON.stringify(broken))).toThrow(
      refusal("manifests[0].platform.architecture", "is missing, must be a string", "the image index"),
    );
  });
});

test("parseDescriptor() reads all fields and leaves out empty ones", () => {
  const full = { ...layer, urls: ["http://x"], annotations: { a: "b" }, artifactType: "t" };
  expect(parseDescriptor(full)).toEqual(full);
  expect(parseDescriptor({ ...layer, urls: null, annotations: {}, platform: null })).toEqual(layer);
});

describe("parseImageConfig", () => {
  const image = { os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: [digest] } };

  test("reads a full configuration", () => {
    const text = JSON.stringify({
      ...image,
      created: "2024-01-01T00:00:00Z",
      variant: "v2",
      config: {
        User: "1000:1000",
        ExposedPorts: { "80/tcp": {} },
        Env: ["A=b"],
        Entrypoint: ["/bin/a"],
        Cmd: [],
        Volumes: { "/data": {} },
        WorkingDir: "/w",
        Labels: { __proto__x: "1", l: null },
        StopSignal: "SIGINT",
      },
    });
    expect(parseImageConfig(text)).toEqual({
      platform: { os: "linux", architecture: "amd64", variant: "v2" },
      created: "2024-01-01T00:00:00Z",
      config: {
        user: "1000:1000",
        exposedPorts: ["80/tcp"],
        env: ["A=b"],
        entrypoint: ["/bin/a"],
        cmd: [],
        volumes: ["/data"],
        workingDir: "/w",
        labels: new Map([
          ["__proto__x", "1"],
          ["l", ""],
        ]),
        stopSignal: "SIGINT",
      },
      diffIds: [digest],
    });
  });

  test("takes null for empty, and a command in one string", () => {
    const nothing = { Env: null, Cmd: null, Entrypoint: "/run", Labels: null, Volumes: null, User: null };
    expect(parseImageConfig(JSON.stringify({ ...image, config: nothing })).config).toEqual({
      user: "",
      exposedPorts: [],
      env: [],
      entrypoint: ["/run"],
      volumes: [],
      workingDir: "",
      labels: new Map(),
      stopSignal: "",
    });
    expect(parseImageConfig(JSON.stringify({ ...image, config: null })).config.env).toEqual([]);
  });

  test.each<[string, object, string, string]>([
    ["a missing rootfs", { rootfs: undefined }, "rootfs", "is missing, must be an object"],
    ["another rootfs type", { rootfs: { type: "x" } }, "rootfs.type", 'is "x", must be "layers"'],
    [
      "a wrong diff id",
      { rootfs: { type: "layers", diff_ids: [digest, "x"] } },
      "rootfs.diff_ids[1]",
      "is no digest: no algorithm, must be sha256: and 64 hexadecimal digits",
    ],
    ["an architecture that is none", { architecture: "a b" }, "architecture", 'is "a b", which no platform has'],
    ["a missing architecture", { architecture: undefined }, "architecture", "is missing, must be a string"],
    ["a variable that is no string", { config: { Env: [1] } }, "config.Env[0]", "is a number, must be a string"],
    ["NUL in an argument", { config: { Cmd: ["a", "\0"] } }, "config.Cmd[1]", "has a NUL character"],
    [
      "a label that is no string",
      { config: { Labels: { a: {} } } },
      'config.Labels["a"]',
      "is an object, must be a string",
    ],
  ])("refuses %s", (_, change, path, state) => {
    expect(() => parseImageConfig(JSON.stringify({ ...image, ...change }))).toThrow(
      refusal(path, state, "the image configuration"),
    );
  });
});

test("layerCompression() knows OCI's and Docker's layers", () => {
  expect(Object.fromEntries(Object.values(mediaTypes).map((type) => [type, layerCompression(type)]))).toMatchObject({
    [mediaTypes.ociLayer]: "none",
    [mediaTypes.ociLayerGzip]: "gzip",
    [mediaTypes.ociLayerZstd]: "zstd",
    [mediaTypes.dockerLayerGzip]: "gzip",
    [mediaTypes.ociManifest]: undefined,
  });
  expect(isForeignLayerMediaType("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")).toBe(true);
  expect(isForeignLayerMediaType("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip")).toBe(true);
  expect(isForeignLayerMediaType(mediaTypes.ociLayer)).toBe(false);
});
