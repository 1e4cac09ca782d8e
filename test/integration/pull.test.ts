import { readdir, readFile, rm, mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PullProgress } from "#images";
import { FaultProxy } from "../support/fault-proxy.ts";
import { ImageRoot, listing } from "../support/image-root.ts";
import { testImage, type ImageName } from "../support/images.ts";
import { Layout } from "../support/layout.ts";
import { mustHere } from "../support/process.ts";
import { Registry } from "../support/registry.ts";

const nothing = { blobs: 0, ingests: 0, layers: 0, temporary: 0 };

let registry: Registry;
beforeAll(async () => {
  registry = await Registry.start();
  for (const name of ["busybox", "configured", "layers", "zstd", "uncompressed"] as const) {
    await registry.push(await testImage(name), `${name}:1`, ["--preserve-digests"]);
  }
  await registry.push(await testImage("layers"), "docker:1", ["--format", "v2s2"]);
  await registry.push(await testImage("multi"), "multi:1", ["--multi-arch", "all"]);
});
afterAll(async () => registry[Symbol.asyncDispose]());

const json = async (file: string) => JSON.parse(await readFile(file, "utf8")) as never;

const listings = new Map<ImageName, Promise<string>>();

/** What umoci makes of the image. */
async function umociListing(name: ImageName): Promise<string> {
  const known = listings.get(name);
  if (known !== undefined) return known;
  const made = makeUmociListing(name);
  listings.set(name, made);
  return made;
}

async function makeUmociListing(name: ImageName): Promise<string> {
  const directory = await mkdtemp("/var/tmp/sampan-umoci-");
  try {
    const [, layout = "", tag = ""] = (await testImage(name)).split(":");
    await mustHere(["umoci", "unpack", "--image", `${layout}:${tag}`, join(directory, "bundle")]);
    return await mustHere(["bash", "-ec", listing, "sh", join(directory, "bundle/rootfs")]);
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe("Images.pull", () => {
  test("fetches an image, and asks only once more for its digest when it is there", async () => {
    await using root = await ImageRoot.create();
    await using proxy = await FaultProxy.start(registry.address);
    const seen: PullProgress[] = [];
    const name = `${proxy.address}/busybox:1`;
    const image = await root.images.pull(name, { onProgress: (progress) => seen.push(progress) });
    expect(image).toMatchObject({
      name,
      changed: true,
      platform: { os: "linux" },
      config: { config: { cmd: ["sh"] } },
    });
    expect(root.images.resolve(name)).toEqual({ ...image, changed: undefined });
    expect(await root.contents()).toEqual({ blobs: 3, ingests: 0, layers: 1, temporary: 0 });
    expect(seen[0]).toMatchObject({ status: "waiting", current: 0 });
    expect(seen.at(-1)).toMatchObject({ status: "done", current: seen[0]?.total });
    expect(await root.inside(image.chainId, "chroot $1 /bin/busybox id -u")).toBe("0");

    proxy.requests.length = 0;
    expect(await root.images.pull(name)).toMatchObject({ id: image.id, changed: false });
    expect(proxy.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(["HEAD /v2/busybox/manifests/1"]);
  });

  test.each<[string, ImageName]>([
    ["layers", "layers"],
    ["zstd", "layers"],
    ["uncompressed", "layers"],
    ["docker", "layers"],
  ])("unpacks %s as umoci does", async (repository, name) => {
    await using root = await ImageRoot.create();
    const { chainId, layers } = await root.images.pull(`${registry.address}/${repository}:1`);
    expect(layers).toHaveLength(4);
    expect(await root.inside(chainId, listing)).toEqual(await umociListing(name));
  });

  test("unpacks a Debian userland as umoci does", { timeout: 600_000 }, async () => {
    await registry.push(await testImage("debian"), "debian:1");
    await using root = await ImageRoot.create();
    const { chainId } = await root.images.pull(`${registry.address}/debian:1`);
    expect(await root.inside(chainId, listing)).toEqual(await umociListing("debian"));
  });

  test("chooses the platform from an index", async () => {
    await using root = await ImageRoot.create();
    const name = `${registry.address}/multi:1`;
    const own = await root.images.pull(name);
    expect(own.platform.architecture).toBe(process.arch === "x64" ? "amd64" : "arm64");
    const other = process.arch === "x64" ? "linux/arm64" : "linux/amd64";
    expect(() => root.images.resolve(name, other)).toThrow(expect.objectContaining({ code: "not-found" }));
    const foreign = await root.images.pull(name, { platform: other });
    expect(foreign.id).not.toBe(own.id);
    expect(foreign.target).toBe(own.target);
    expect(root.images.resolve(name, other).id).toBe(foreign.id);
    expect(root.images.resolve(name).id).toBe(own.id);
    await expect(root.images.pull(name, { platform: "linux/s390x" })).rejects.toMatchObject({
      code: "not-found",
      message: expect.stringContaining('Cannot find a manifest for platform "linux/s390x"'),
    });
    await expect(root.images.pull(`${registry.address}/busybox:1`, { platform: "linux/s390x" })).rejects.toMatchObject({
      code: "not-found",
      message: expect.stringContaining("the image is for linux/"),
    });
  });

  test("fetches by digest, with and without a tag", async () => {
    await using root = await ImageRoot.create();
    const { target } = await root.images.pull(`${registry.address}/busybox:1`);
    expect(root.images.resolve(`${registry.address}/busybox@${target}`).target).toBe(target);
    await root.images.pull(`${registry.address}/busybox:1@${target}`);
    expect(root.images.list().map(({ name }) => name)).toEqual([
      `${registry.address}/busybox@${target}`,
      `${registry.address}/busybox:1`,
    ]);
    const missing = target.replace(/.{8}$/, "00000000");
    await expect(root.images.pull(`${registry.address}/busybox@${missing}`)).rejects.toMatchObject({
      code: "not-found",
      message: `Cannot pull "${registry.address}/busybox@${missing}": ${registry.address} has no manifest ${missing}`,
    });
  });

  test("fetches no layer that another image brought", async () => {
    await using root = await ImageRoot.create();
    await root.images.pull(`${registry.address}/busybox:1`);
    await using proxy = await FaultProxy.start(registry.address);
    const { layers } = await root.images.pull(`${proxy.address}/configured:1`);
    expect(layers).toHaveLength(2);
    // The configuration and the one new layer.
    expect(proxy.requests.filter(({ path }) => path.includes("/blobs/"))).toHaveLength(2);
  });

  test("logs in where the registry asks for it", async () => {
    await using closed = await Registry.start({ users: { anna: "a secret" } });
    await closed.push(await testImage("busybox"), "busybox:1");
    await using root = await ImageRoot.create();
    const name = `${closed.address}/busybox:1`;
    await expect(root.images.pull(name)).rejects.toMatchObject({
      code: "permission-denied",
      message: `Cannot pull "${name}": http://${closed.address} wants a login`,
    });
    await expect(
      root.images.pull(name, { credentials: () => ({ username: "anna", password: "wrong" }) }),
    ).rejects.toMatchObject({ code: "permission-denied" });
    expect(await root.contents()).toEqual(nothing);
    expect(
      await root.images.pull(name, { credentials: () => ({ username: "anna", password: "a secret" }) }),
    ).toMatchObject({ changed: true });
  });

  test("goes on where connections break, and leaves nothing of it", async () => {
    await using root = await ImageRoot.create();
    await using proxy = await FaultProxy.start(registry.address, [
      { path: "/manifests/", fault: { kind: "drop" }, times: 1 },
      { path: "/blobs/", fault: { kind: "truncate", after: 100_000 }, skip: 1, times: 2 },
      { path: "/blobs/", fault: { kind: "status", status: 503 }, times: 1 },
    ]);
    const { chainId } = await root.images.pull(`${proxy.address}/layers:1`);
    expect(await root.inside(chainId, listing)).toEqual(await umociListing("layers"));
    expect(proxy.requests.some(({ headers }) => /^bytes=[1-9]\d*-$/.test(headers.range ?? ""))).toBe(true);
    expect(await root.contents()).toMatchObject({ ingests: 0, temporary: 0 });
  });

  test("refuses a layer of other bytes, and leaves nothing", async () => {
    await using root = await ImageRoot.create();
    await using proxy = await FaultProxy.start(registry.address, [
      { path: "/blobs/", fault: { kind: "corrupt", offset: 50_000 }, skip: 1 },
    ]);
    await expect(root.images.pull(`${proxy.address}/uncompressed:1`)).rejects.toMatchObject({ code: "data-loss" });
    await expect(root.images.pull(`${proxy.address}/busybox:1`)).rejects.toMatchObject({ code: "data-loss" });
    expect(await root.contents()).toEqual(nothing);
    expect(root.images.list()).toEqual([]);
  });

  test("refuses a layer whose content is not that of its diff id, and leaves nothing", async () => {
    const directory = await mkdtemp("/var/tmp/sampan-layout-");
    await mustHere(["skopeo", "--insecure-policy", "copy", await testImage("busybox"), `oci:${directory}:a`]);
    const path = (digest: string): string => join(directory, "blobs", digest.replace(":", "/"));
    const index: { manifests: [{ digest: string }] } = await json(join(directory, "index.json"));
    const manifest: { config: { digest: string } } = await json(path(index.manifests[0].digest));
    const config: { rootfs: { diff_ids: string[] } } = await json(path(manifest.config.digest));
    const forged = { ...config, rootfs: { type: "layers", diff_ids: [`sha256:${"0".repeat(64)}`] } };
    await using root = await ImageRoot.create();
    await using server = await Registry.start();
    await server.push(`oci:${directory}:a`, "a:1");
    const layout = new Layout(directory);
    const written = await layout.writeBlob(
      "application/vnd.oci.image.config.v1+json",
      Buffer.from(JSON.stringify(forged)),
    );
    const changed = Buffer.from(JSON.stringify({ ...manifest, config: written }));
    await layout.setTag("b", await layout.writeBlob("application/vnd.oci.image.manifest.v1+json", changed));
    await server.push(`oci:${directory}:b`, "b:1");
    await rm(directory, { recursive: true });
    await expect(root.images.pull(`${server.address}/b:1`)).rejects.toMatchObject({
      code: "data-loss",
      message: expect.stringContaining(`its content must have digest sha256:${"0".repeat(64)}, but it has`),
    });
    expect(await root.contents()).toEqual(nothing);
  });

  test("says that the registry went away, and takes up the download later", async () => {
    await using root = await ImageRoot.create();
    await using proxy = await FaultProxy.start(registry.address, [
      { path: "/blobs/", fault: { kind: "truncate", after: 100_000 }, skip: 1, times: 1 },
      { path: "/blobs/", fault: { kind: "drop" }, skip: 1 },
    ]);
    const name = `${proxy.address}/busybox:1`;
    await expect(root.images.pull(name)).rejects.toMatchObject({
      code: "unavailable",
      message: `Cannot pull "${name}": ${proxy.address} closed the connection`,
    });
    expect(await root.contents()).toMatchObject({ ingests: 1, layers: 0, temporary: 0 });
    expect(root.images.list()).toEqual([]);
    proxy.setRules([]);
    proxy.requests.length = 0;
    await root.images.pull(name);
    const blobs = proxy.requests.filter(({ path }) => path.includes("/blobs/"));
    // What was on the way when the connection broke may be lost.
    expect(blobs.map(({ headers }) => headers.range)).toEqual([expect.stringMatching(/^bytes=[1-9]\d*-$/)]);
  });

  test("ends when it is cancelled, and leaves no layer", async () => {
    await using root = await ImageRoot.create();
    await using proxy = await FaultProxy.start(registry.address, [
      { path: "/blobs/", fault: { kind: "stall", after: 10_000 }, skip: 1 },
    ]);
    const controller = new AbortController();
    const onProgress = ({ current }: PullProgress) => current > 0 && controller.abort();
    await expect(
      root.images.pull(`${proxy.address}/layers:1`, { onProgress, signal: controller.signal }),
    ).rejects.toMatchObject({ code: "cancelled" });
    expect(await root.contents()).toMatchObject({ layers: 0, temporary: 0 });
    await root.images.collect(0);
    expect(await root.contents()).toMatchObject({ blobs: 0, layers: 0 });
  });

  test("refuses a layer that unpacks to more than the limit, and leaves nothing", async () => {
    await using root = await ImageRoot.create({ limits: { size: 1_000_000, ratio: 1000, ratioFrom: 1000 } });
    await expect(root.images.pull(`${registry.address}/busybox:1`)).rejects.toMatchObject({
      code: "resource-exhausted",
      message: expect.stringContaining("it unpacks to more than 1000000 bytes"),
    });
    expect(await root.contents()).toEqual(nothing);
  });

  test("by two stores on one directory, while a third one removes, makes one whole image", async () => {
    await using root = await ImageRoot.create();
    await using second = root.again();
    await using third = root.again();
    const name = `${registry.address}/layers:1`;
    await third.images.pull(`${registry.address}/configured:1`);
    const [one, two] = await Promise.all([
      root.images.pull(name),
      second.images.pull(name),
      third.images.remove(`${registry.address}/configured:1`),
    ]);
    expect(one.id).toBe(two.id);
    expect(await root.inside(one.chainId, listing)).toEqual(await umociListing("layers"));
    expect(await root.contents()).toEqual({ blobs: 6, ingests: 0, layers: 4, temporary: 0 });
  });
});

describe("Images.remove", () => {
  test("keeps what other images need, and the last one leaves nothing", async () => {
    await using root = await ImageRoot.create();
    const first = await root.images.pull(`${registry.address}/busybox:1`);
    const second = await root.images.pull(`${registry.address}/configured:1`);
    expect(await root.images.remove(`${registry.address}/busybox:1`)).toEqual({
      untagged: [`${registry.address}/busybox:1`],
      deleted: [first.id],
    });
    expect(await root.inside(second.chainId, "chroot $1 /bin/busybox echo runs")).toBe("runs");
    expect(await root.images.remove(second.id.slice(7, 15))).toEqual({
      untagged: [`${registry.address}/configured:1`],
      deleted: [second.id],
    });
    expect(await root.contents()).toEqual(nothing);
    await expect(root.images.remove(`${registry.address}/busybox:1`)).rejects.toMatchObject({ code: "not-found" });
  });

  test("only untags an image with further names", async () => {
    await using root = await ImageRoot.create();
    const { id } = await root.images.pull(`${registry.address}/busybox:1`);
    root.images.tag(id, "localhost/mine:2");
    await expect(root.images.remove(id)).rejects.toMatchObject({ code: "failed-precondition" });
    expect(await root.images.remove("localhost/mine:2")).toEqual({ untagged: ["localhost/mine:2"], deleted: [] });
    root.images.tag(id, "localhost/mine:2");
    expect((await root.images.remove(id, { force: true })).deleted).toEqual([id]);
    expect(await root.contents()).toEqual(nothing);
  });

  test("keeps an image that a container uses, also when forced", async () => {
    let users = ["container web"];
    await using root = await ImageRoot.create({ inUse: () => users });
    const name = `${registry.address}/busybox:1`;
    const { id } = await root.images.pull(name);
    await expect(root.images.remove(name)).rejects.toMatchObject({
      code: "failed-precondition",
      message: `Cannot remove image "${name}": container web uses it`,
    });
    expect(await root.images.remove(name, { force: true })).toEqual({ untagged: [name], deleted: [] });
    expect(root.images.list()).toMatchObject([{ name: undefined, id }]);
    expect(root.images.resolve(id).name).toBe(id);
    users = [];
    expect((await root.images.remove(id)).deleted).toEqual([id]);
    expect(await root.contents()).toEqual(nothing);
  });
});

describe("localhost/node", () => {
  test("is made without a registry, runs, and is an image that other tools take", { timeout: 300_000 }, async () => {
    await using root = await ImageRoot.create();
    await using second = root.again();
    const [image, other] = await Promise.all([
      root.images.pull("localhost/node"),
      second.images.pull("localhost/node:latest"),
    ]);
    expect(other.id).toBe(image.id);
    expect(root.images.resolve("localhost/node").config.config).toMatchObject({
      entrypoint: ["node"],
      env: [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        `NODE_VERSION=${process.versions.node}`,
      ],
      workingDir: "/",
    });
    const script =
      "chroot $1 /usr/local/bin/node -p '6*7'; stat -c '%a %u' $1/tmp $1/home/node; cut -d: -f1,3 $1/etc/passwd";
    expect((await root.inside(image.chainId, script)).split("\n")).toEqual([
      "42",
      "1777 0",
      "755 1000",
      "root:0",
      "node:1000",
      "nobody:65534",
    ]);
    expect(await root.contents()).toEqual({ blobs: 3, ingests: 0, layers: 1, temporary: 0 });

    const layout = join(root.directory, "content");
    const target = {
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      digest: image.target,
      size: root.content.size(image.target),
    };
    const annotations = { "org.opencontainers.image.ref.name": "node" };
    await writeFile(join(layout, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
    await writeFile(
      join(layout, "index.json"),
      JSON.stringify({ schemaVersion: 2, manifests: [{ ...target, annotations }] }),
    );
    const bundle = join(root.directory, "bundle");
    await mustHere(["umoci", "unpack", "--image", `${layout}:node`, bundle]);
    expect(await root.inside(image.chainId, listing)).toEqual(
      await mustHere(["bash", "-ec", listing, "sh", join(bundle, "rootfs")]),
    );
  });

  test("is made anew when the host's Node is another", { timeout: 300_000 }, async () => {
    await using root = await ImageRoot.create();
    const image = await root.images.pull("localhost/node");
    expect(await root.images.pull("localhost/node")).toMatchObject({ changed: false });
    root.database.prepare("UPDATE image_builtin SET identity = ?").run('["1 1 /old/node"]');
    expect(() => root.images.resolve("localhost/node")).toThrow(
      expect.objectContaining({
        code: "not-found",
        message: 'Cannot find image "localhost/node": it was made from another Node',
      }),
    );
    await root.images.pull("localhost/node");
    expect(root.images.resolve("localhost/node").id).toBe(image.id);
    expect(await readdir(join(root.directory, "content/blobs/sha256"))).toHaveLength(3);
  });
});
