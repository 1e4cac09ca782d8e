import { expect, test } from "vitest";
import { mediaTypes, type Descriptor, type Digest, type ImageConfig, type ImageManifest } from "#spec";
import { checkIsImage, planLayers } from "./unpack.ts";

const id = (prefix: string): Digest => `sha256:${prefix.padEnd(64, "0")}` as Digest;
const layer = (mediaType: string): Descriptor => ({ mediaType, digest: id("b1"), size: 1 });

function manifestOf(configType: string, ...layers: string[]): ImageManifest {
  return {
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: configType, digest: id("c1"), size: 1 },
    layers: layers.map(layer),
  };
}

function configOf(...diffIds: Digest[]): ImageConfig {
  return {
    platform: { os: "linux", architecture: "amd64" },
    config: { user: "", exposedPorts: [], env: [], volumes: [], workingDir: "", labels: new Map(), stopSignal: "" },
    diffIds,
  };
}

test("planLayers() joins layers with their diff ids and chain ids", () => {
  const manifest = manifestOf(mediaTypes.ociConfig, mediaTypes.ociLayerZstd, mediaTypes.dockerLayerGzip);
  const [first, second] = planLayers("a", manifest, configOf(id("d1"), id("d2")), { layers: 2 });
  expect(first).toEqual({
    descriptor: layer(mediaTypes.ociLayerZstd),
    compression: "zstd",
    diffId: id("d1"),
    chainId: id("d1"),
    parent: undefined,
  });
  expect(second).toMatchObject({ compression: "gzip", diffId: id("d2"), parent: id("d1") });
});

test.each([
  [
    [mediaTypes.ociLayer],
    [],
    "invalid-argument",
    'Cannot unpack image "a": its manifest has 1 layers, its configuration 0 diff ids',
  ],
  [
    ["application/vnd.oci.image.layer.nondistributable.v1.tar"],
    [id("d1")],
    "unsupported",
    `Cannot unpack image "a": layer ${id("b1")} is held elsewhere, by a foreign URL`,
  ],
  [
    ["application/vnd.example"],
    [id("d1")],
    "unsupported",
    `Cannot unpack image "a": layer ${id("b1")} has media type "application/vnd.example"`,
  ],
])("planLayers() refuses %j with %j", (types, diffIds, code, message) => {
  expect(() =>
    planLayers("a", manifestOf(mediaTypes.ociConfig, ...types), configOf(...diffIds), { layers: 2 }),
  ).toThrow(expect.objectContaining({ code, message }));
});

test("checkIsImage() refuses other artifacts", () => {
  expect(() => checkIsImage("a", manifestOf(mediaTypes.dockerConfig))).not.toThrow();
  expect(() => checkIsImage("a", manifestOf("application/vnd.cncf.helm.config.v1+json"))).toThrow(
    expect.objectContaining({
      code: "unsupported",
      message:
        'Cannot use "a" as a container image: it is an artifact of type "application/vnd.cncf.helm.config.v1+json"',
    }),
  );
});
