/** `save` and `load` against skopeo, podman and umoci, in both directions. */
import { createReadStream } from "node:fs";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ImageRoot, listing } from "../support/image-root.ts";
import { testImage } from "../support/images.ts";
import { mustHere, runHere } from "../support/process.ts";
import { Registry } from "../support/registry.ts";
import { StockedHost } from "../support/stocked-host.ts";
import { tar as tarOf, type Entry } from "../security/tar.ts";

let registry: Registry;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp("/var/tmp/sampan-archive-");
  registry = await Registry.start();
  for (const name of ["busybox", "configured", "layers", "zstd"] as const)
    await registry.push(await testImage(name), `${name}:1`, ["--preserve-digests"]);
  await registry.push(await testImage("multi"), "multi:2", ["--multi-arch", "all"]);
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

const entry = (path: string, content: string): Entry => ({ path, content });
const tar = (...entries: readonly Entry[]): Buffer => tarOf(entries);
const skopeo = async (...args: readonly string[]): Promise<string> =>
  await mustHere(["skopeo", "--insecure-policy", ...args]);
const image = (name: string): string => `${registry.address}/${name}`;

async function save(root: ImageRoot, names: readonly string[], file: string, platform?: string): Promise<string> {
  const path = join(directory, file);
  const handle = await open(path, "w");
  await root.images.save(names, async (chunk) => await handle.writeFile(chunk), { platform });
  await handle.close();
  return path;
}

describe("Images.save", () => {
  test("makes one archive that skopeo reads as Docker's and as an OCI layout, and tar lists", async () => {
    await using root = await ImageRoot.create();
    const pulled = await root.images.pull(image("layers:1"));
    await root.images.pull(image("configured:1"));
    await root.images.pull(image("multi:2"));
    const path = await save(root, [image("layers:1"), image("configured:1"), image("multi:2")], "several.tar");
    await mustHere(["tar", "--list", "--file", path]);
    const config = JSON.parse(
      await skopeo("inspect", "--config", `docker-archive:${path}:${image("layers:1")}`),
    ) as object;
    expect(config).toMatchObject({ rootfs: { diff_ids: pulled.config.diffIds } });
    await skopeo("copy", "--quiet", `docker-archive:${path}:${image("configured:1")}`, `dir:${directory}/configured`);
    const raw = await skopeo("inspect", "--raw", `oci-archive:${path}:2`);
    expect(JSON.parse(raw)).toMatchObject({ config: { digest: root.images.resolve(image("multi:2")).id } });
    const layout = join(directory, "layout");
    await skopeo("copy", "--quiet", `oci-archive:${path}:${image("layers:1")}`, `oci:${layout}:layers`);
    await mustHere(["umoci", "unpack", "--image", `${layout}:layers`, join(directory, "bundle")]);
    expect(await root.inside(pulled.chainId, listing)).toEqual(
      await mustHere(["bash", "-ec", listing, "sh", join(directory, "bundle/rootfs")]),
    );
  });

  test("makes what Images.load takes, with the same digests, all platforms and names", async () => {
    await using root = await ImageRoot.create();
    await using other = await ImageRoot.create();
    const { target } = await root.images.pull(image("multi:2"));
    await root.images.pull(image("multi:2"), { platform: process.arch === "arm64" ? "linux/amd64" : "linux/arm64" });
    root.images.tag(image("multi:2"), "localhost/other:3");
    const path = await save(root, [image("multi:2"), "localhost/other:3"], "multi.tar");
    const loaded = await other.images.load(createReadStream(path));
    expect(loaded.map(({ names }) => names)).toEqual([[image("multi:2"), "localhost/other:3"]]);
    expect(other.images.resolve("localhost/other:3").target).toBe(target);
    const again = await save(other, [image("multi:2"), "localhost/other:3"], "again.tar");
    expect((await readFile(again)).equals(await readFile(path))).toBe(true);
    for (const name of loaded[0]?.names ?? []) await other.images.remove(name);
    expect(await other.contents()).toEqual({ blobs: 0, ingests: 0, layers: 0, temporary: 0 });
  });
});

test.each(["amd64", "arm64"])(
  "save --platform linux/%s writes that platform only, for skopeo and podman",
  async (arch) => {
    await using root = await ImageRoot.create();
    const name = image("multi:2");
    for (const one of ["linux/amd64", "linux/arm64"]) await root.images.pull(name, { platform: one });
    const { manifest, id, config } = root.images.resolve(name, `linux/${arch}`);
    const path = await save(root, [name], `${arch}.tar`, `linux/${arch}`);
    const raw = await skopeo("inspect", "--raw", `oci-archive:${path}`);
    const { layers, config: described } = JSON.parse(raw) as Record<"layers", readonly { digest: string }[]> &
      Record<"config", { digest: string }>;
    expect(described.digest).toBe(id);
    const blobs = [manifest, id, ...layers.map(({ digest }) => digest)].map((digest) => digest.replace(":", "/"));
    const list = await mustHere(["tar", "--list", "--file", path]);
    expect(list.split("\n").filter((line) => line.startsWith("blobs/"))).toEqual(
      expect.arrayContaining([...new Set(blobs)].map((blob) => `blobs/${blob}`)),
    );
    expect(list.split("\n").filter((line) => /^blobs\/sha256\/./.test(line))).toHaveLength(new Set(blobs).size);
    for (const place of [`docker-archive:${path}:${name}`, `oci-archive:${path}:2`]) {
      const found = await skopeo("inspect", "--config", "--raw", place);
      expect(JSON.parse(found)).toMatchObject({ architecture: arch, rootfs: { diff_ids: config.diffIds } });
    }
    const podman = ["podman", "--root", `${directory}/p`, "--runroot", `${directory}/r`, "--storage-driver", "vfs"];
    await mustHere([...podman, "load", "--quiet", "--input", path]);
    const format = "{{.Id}} {{.Architecture}}";
    expect(await mustHere([...podman, "image", "inspect", "--format", format, name])).toBe(`${id.slice(7)} ${arch}`);
    await mustHere([...podman, "rmi", "--all", "--force"]);
    // What is loaded of it again is that platform alone.
    await using other = await ImageRoot.create();
    await other.images.load(createReadStream(path), { platform: `linux/${arch}` });
    expect(other.images.list().map((one) => [one.target, one.id])).toEqual([[manifest, id]]);
  },
);

describe("Images.load", () => {
  test.each([
    ["docker-archive", "layers", "docker-archive"],
    ["oci-archive", "layers", "oci-archive"],
    ["oci-archive", "zstd", "oci-archive"],
  ])("takes a %s of %s by skopeo", async (kind, name, transport) => {
    await using root = await ImageRoot.create();
    await using pulled = await ImageRoot.create();
    const path = join(directory, `${kind}-${name}.tar`);
    await skopeo(
      "copy",
      "--quiet",
      await testImage(name as "layers"),
      `${transport}:${path}:example.com/team/${name}:5`,
    );
    const [loaded] = await root.images.load(createReadStream(path));
    expect(loaded?.names).toEqual([`example.com/team/${name}:5`]);
    const wanted = await pulled.images.pull(image("layers:1"));
    const found = root.images.resolve(`example.com/team/${name}:5`);
    expect(found.config.diffIds).toEqual(wanted.config.diffIds);
    expect(await root.inside(found.chainId, listing)).toEqual(await pulled.inside(wanted.chainId, listing));
  });

  test("takes compressed archives", async () => {
    await using root = await ImageRoot.create();
    const path = join(directory, "busybox.tar");
    await skopeo("copy", "--quiet", await testImage("busybox"), `docker-archive:${path}:busybox:9`);
    await mustHere(["gzip", "--keep", path]);
    await mustHere(["zstd", "-q", path, "-o", `${path}.zst`]);
    await mustHere(["xz", "--keep", path]);
    for (const suffix of [".gz", ".zst"]) {
      expect(await root.images.load(createReadStream(path + suffix))).toMatchObject([{ names: ["busybox:9"] }]);
      await root.images.remove("busybox:9");
    }
    await expect(root.images.load(createReadStream(`${path}.xz`))).rejects.toThrow("compressed with xz");
    const podman = ["podman", "--root", `${directory}/p`, "--runroot", `${directory}/r`, "--storage-driver", "vfs"];
    if ((await runHere(["podman", "--version"])).code === 0) {
      await mustHere([...podman, "load", "--quiet", "--input", path]);
      const saved = join(directory, "podman.tar");
      await mustHere([...podman, "save", "--quiet", "--output", saved, "busybox:9"]);
      expect(await root.images.load(createReadStream(saved))).toMatchObject([{ names: ["busybox:9"] }]);
      const ours = await save(root, ["busybox:9"], "for-podman.tar");
      await mustHere([...podman, "rmi", "--all", "--force"]);
      expect(await mustHere([...podman, "load", "--quiet", "--input", ours])).toContain("busybox:9");
    }
  });

  const hex = "0".repeat(64);
  const list = (config: string, layers: readonly string[]): string =>
    JSON.stringify([{ Config: config, RepoTags: ["x:1"], Layers: layers }]);
  test.each<[string, () => Uint8Array, string, string]>([
    ["a path that leads out of it", () => tar(entry("../../etc/passwd", "x")), "invalid-argument", "leads out of it"],
    ["an absolute path", () => tar(entry("/etc/passwd", "x")), "invalid-argument", "leads out of it"],
    ["two files of one name", () => tar(entry("a", "1"), entry("./a", "2")), "invalid-argument", 'two files "a"'],
    ["a blob that is another", () => tar(entry(`blobs/sha256/${hex}`, "x")), "data-loss", "has digest"],
    ["no images", () => tar(entry("a", "1")), "invalid-argument", "it has no images"],
    ["a list that is no JSON", () => tar(entry("manifest.json", "{")), "invalid-argument", "is not JSON"],
    [
      "a layer that is missing",
      () => tar(entry("c", "{}"), entry("manifest.json", list("c", ["l"]))),
      "invalid-argument",
      'no file "l"',
    ],
    [
      "a configuration under another digest",
      () => tar(entry(`${hex}.json`, "{}"), entry("manifest.json", list(`${hex}.json`, []))),
      "invalid-argument",
      "has digest",
    ],
    [
      "compressed data that is damaged",
      () => gzipSync(tar(entry("a", "1"))).fill(7, 12, 20),
      "data-loss",
      "is damaged",
    ],
    ["a cut end", () => tar(entry("a", "12345")).subarray(0, 514), "data-loss", "cut short"],
  ])("refuses %s, and keeps nothing", async (_, make, code, message) => {
    await using root = await ImageRoot.create();
    const stream = (async function* stream() {
      yield make();
    })();
    await expect(root.images.load(stream)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
    expect(await root.contents()).toEqual({ blobs: 0, ingests: 0, layers: 0, temporary: 0 });
    expect(root.images.list()).toEqual([]);
  });
});

test("sampan save and load pass images through a pipe", async () => {
  await using stocked = await StockedHost.create(["busybox"]);
  const name = stocked.image("busybox");
  const file = join(stocked.host.files, "image.tar");
  await stocked.must(["save", "-q", "-o", file, name]);
  await stocked.must(["rmi", name]);
  expect(await stocked.must(["load", "-q", "-i", file])).toBe(`Loaded image: ${name}`);
  expect(await stocked.mustShell([], "echo runs")).toBe("runs");
});
