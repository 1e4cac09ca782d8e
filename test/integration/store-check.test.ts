/** What becomes of a store that was damaged: found, set aside, and got again. */
import { mkdir, readdir, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Finding, ResolvedImage } from "#images";
import { digestHex, type Digest } from "#spec";
import { ImageRoot } from "../support/image-root.ts";
import { testImage } from "../support/images.ts";
import { Registry } from "../support/registry.ts";

let registry: Registry;
let root: ImageRoot;
let name = "";
let image: ResolvedImage;
beforeAll(async () => {
  registry = await Registry.start();
  await registry.push(await testImage("layers"), "layers:1", ["--preserve-digests"]);
  name = `${registry.address}/layers:1`;
  root = await ImageRoot.create();
  image = await root.images.pull(name);
});
afterAll(async () => {
  await root[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

const blobPath = (digest: Digest): string => join(root.directory, "content/blobs/sha256", digestHex(digest));
const layerPath = (chainId: Digest): string => join(root.directory, "snapshots/layers", digestHex(chainId));
const brief = (findings: readonly Finding[]): readonly string[] =>
  findings.map(({ kind, key, state }) => `${kind} ${key}: ${state}`).toSorted();
const layerBlobs = async (): Promise<readonly Digest[]> => {
  const manifest = JSON.parse(await readFile(blobPath(image.manifest), "utf8")) as {
    layers: readonly { digest: Digest }[];
  };
  return manifest.layers.map(({ digest }) => digest);
};
async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  await writeFile(path, bytes);
}
/** A layer's blob that is not needed, as the layer is unpacked, is left to who needs it. */
const harmful = async (): Promise<readonly Finding[]> =>
  (await root.images.check()).filter(({ kind }) => kind !== "absent-blob");
/** Repairs, and sees that all is well then. */
async function repaired(): Promise<readonly string[]> {
  const { done, failed } = await root.images.repair(await root.images.check());
  expect(failed).toEqual([]);
  expect(brief(await harmful())).toEqual([]);
  return done.map((line) => line.replace(/ to .*/, ""));
}

test("check() finds nothing wrong with a fresh store", async () => {
  expect(await root.images.check()).toEqual([]);
});

test("a flipped bit, a cut and a removed blob are found, and fetched again", async () => {
  const [one, two, three] = (await layerBlobs()) as [Digest, Digest, Digest];
  await flip(blobPath(one), 1000);
  await truncate(blobPath(two), 20);
  await rm(blobPath(three));
  await truncate(blobPath(image.id), 0);
  const found = await root.images.check();
  expect(brief(found).map((line) => line.replace(/(digest sha256:).*/, "$1"))).toEqual(
    [
      `absent-blob ${three}: it was unpacked from another image, or removed`,
      ...[one, two, image.id].map((digest) => `damaged-blob ${digest}: its bytes have digest sha256:`),
    ].toSorted(),
  );
  expect(found.map(({ images }) => images)).toEqual([[name], [name], [name], [name]]);
  const done = await repaired();
  expect(done).toHaveLength(4);
  expect(await readdir(join(root.directory, "content/damaged"))).toHaveLength(3);
});

test("a lost manifest is fetched again, and a lost configuration comes from the database", async () => {
  await rm(blobPath(image.manifest));
  await rm(blobPath(image.id));
  expect((await harmful()).map(({ kind }) => kind)).toEqual(["missing-blob", "missing-blob"]);
  expect(await repaired()).toEqual([expect.stringContaining("restored image")]);
});

test("changed, missing and replaced files of an unpacked layer are found, and it is unpacked again", async () => {
  const top = layerPath(image.layers[1] as Digest);
  const intact = await readFile(join(top, "fs/tree/dir/b"));
  await flip(join(top, "fs/tree/dir/b"), 0);
  expect(brief(await harmful())).toEqual([`broken-layer ${image.layers[1]}: "tree/dir/b" has other content`]);
  expect(await repaired()).toHaveLength(2);
  expect(await readFile(join(top, "fs/tree/dir/b"))).toEqual(intact);

  await rm(join(top, "fs/tree/dir/b"));
  await truncate(join(top, "fs/tree/dir/a"), 3);
  expect(brief(await harmful())).toEqual([
    `broken-layer ${image.layers[1]}: "tree/dir/a" has 3 bytes instead of 6, and 1 more`,
  ]);
  await repaired();
  expect(await root.inside(image.chainId, "cat $1/tree/dir/b")).toBe(intact.toString().trimEnd());
});

test("lost layers, and layers without content or parent, are unpacked again", async () => {
  await rm(layerPath(image.layers[0] as Digest), { recursive: true });
  await rm(join(layerPath(image.layers[2] as Digest), "fs"), { recursive: true });
  await mkdir(join(root.directory, "snapshots/layers/strange"));
  await writeFile(join(root.directory, "content/blobs/sha256/strange"), "");
  const found = await harmful();
  expect(found.map(({ kind, state }) => `${kind}: ${state}`).toSorted()).toEqual([
    "broken-layer: its content is missing",
    `broken-layer: the layer "${image.layers[0]}" below it is missing`,
    "missing-layer: it is missing",
    "stranger: its name is no chain id",
    "stranger: its name is no digest",
  ]);
  await rm(join(root.directory, "snapshots/layers/strange"), { recursive: true });
  await rm(join(root.directory, "content/blobs/sha256/strange"));
  await repaired();
  expect(await root.inside(image.chainId, "cat $1/tree/kept")).toBe("kept");
});

test("pull() completes an image of which something was lost", async () => {
  await rm(layerPath(image.chainId as Digest), { recursive: true });
  expect(await root.images.pull(name)).toMatchObject({ id: image.id, changed: true });
  expect(await harmful()).toEqual([]);
});

test("repair() says what repairs an image whose registry does not answer", async () => {
  const [blob] = (await layerBlobs()) as [Digest];
  await rename(blobPath(blob), join(root.directory, "kept"));
  await rm(layerPath(image.layers[0] as Digest), { recursive: true });
  await registry.stop();
  const { failed } = await root.images.repair(await harmful());
  expect(failed).toEqual([expect.stringMatching(/ pull --platform linux\/\S+ 127\.0\.0\.1:\d+\/layers:1 repairs it$/)]);
  await rename(join(root.directory, "kept"), blobPath(blob));
  await repaired();
});

test("what nothing needs is found, harmless, and removed by a repair", async () => {
  async function* source() {
    yield Buffer.from("nobody's");
  }
  const { digest } = await root.content.add(source());
  expect(brief(await harmful())).toEqual([`orphaned-blob ${digest}: nothing needs it`]);
  await repaired();
  expect(root.content.has(digest)).toBe(false);
});
