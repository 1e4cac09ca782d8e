/** Commands on repositories of a registry: all tags, all platforms, what refers to images, deletes, mirrors. */
import { createHash } from "node:crypto";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Registry as Client } from "#remotes";
import { mediaTypes, parseReference, type Descriptor, type Digest } from "#spec";
import { FaultProxy } from "../support/fault-proxy.ts";
import { ImageRoot } from "../support/image-root.ts";
import { testImage } from "../support/images.ts";
import { mustHere } from "../support/process.ts";
import { Registry } from "../support/registry.ts";
import { StockedHost } from "../support/stocked-host.ts";

let registry: Registry;
beforeAll(async () => {
  registry = await Registry.start();
  for (const tag of ["1", "2"]) await registry.push(await testImage("busybox"), `app:${tag}`, ["--preserve-digests"]);
  await registry.push(await testImage("configured"), "app:3", ["--preserve-digests"]);
  await registry.push(await testImage("multi"), "multi:1", ["--multi-arch", "all"]);
});
afterAll(async () => await registry[Symbol.asyncDispose]());

const raw = async (name: string): Promise<string> =>
  await mustHere(["skopeo", "inspect", "--raw", "--tls-verify=false", name]);

const describeBytes = (bytes: Uint8Array, mediaType: string): Descriptor => {
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}` as Digest;
  return { mediaType, digest, size: bytes.length };
};

/** Pushes something that refers to a manifest, as a signature does. */
async function attach(client: Client, repository: string, subject: Descriptor, text: string): Promise<Descriptor> {
  const reference = parseReference(`${repository}:none`);
  const blobs = [Buffer.from("{}"), Buffer.from(text)] as const;
  const [config, layer] = blobs.map((bytes) => describeBytes(bytes, "application/vnd.oci.empty.v1+json"));
  if (config === undefined || layer === undefined) throw new Error("Cannot attach nothing");
  const once = (bytes: Uint8Array) =>
    async function* source(offset: number): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(offset);
    };
  await client.pushBlob(reference, config, once(blobs[0]));
  await client.pushBlob(reference, layer, once(blobs[1]));
  const { mediaType, digest, size } = subject;
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      artifactType: "application/x-test",
      config,
      layers: [layer],
      subject: { mediaType, digest, size },
    }),
  );
  const descriptor = describeBytes(manifest, mediaTypes.ociManifest);
  await client.pushManifest(reference, descriptor, manifest);
  return descriptor;
}

describe("referrers", () => {
  test(
    "are found under the tag of their subject, and go along when they are asked for",
    { timeout: 180_000 },
    async () => {
      using client = new Client();
      await using other = await Registry.start();
      const name = `${registry.address}/multi:1`;
      const subject = await client.resolve(parseReference(name));
      const first = await attach(client, `${registry.address}/multi`, subject, "one");
      const second = await attach(client, `${registry.address}/multi`, subject, "two");
      const ofFirst = await attach(client, `${registry.address}/multi`, first, "about one");
      const digestsAt = async (repository: string, { digest }: Descriptor): Promise<readonly Digest[]> =>
        (await client.referrers(parseReference(repository), digest)).map((found) => found.digest);
      expect(await digestsAt(`${registry.address}/multi`, subject)).toEqual([first.digest, second.digest]);

      await using root = await ImageRoot.create();
      await root.images.pull(name);
      const target = `${other.address}/copy`;
      root.images.tag(name, `${target}:1`);
      await root.images.push(`${target}:1`, { allPlatforms: true });
      expect(await digestsAt(target, subject)).toEqual([]);
      await root.images.push(`${target}:1`, { allPlatforms: true, referrers: true });
      expect(await digestsAt(target, subject)).toEqual([first.digest, second.digest]);
      expect(await digestsAt(target, first)).toEqual([ofFirst.digest]);

      // Through a folder, and from there to a third repository.
      const layout = join(root.directory, "layout");
      const { copyImage, parsePlace } = await import("#images");
      const copy = async (from: string, to: string) =>
        await copyImage(parsePlace(from), parsePlace(to), {
          registry: client,
          all: true,
          referrers: true,
          platform: undefined,
          onProgress: undefined,
          signal: new AbortController().signal,
          openSink: async () => await Promise.reject(new Error("Cannot open an archive")),
        });
      await copy(`docker://${name}`, `oci:${layout}:a`);
      await copy(`oci:${layout}:a`, `docker://${other.address}/third:1`);
      await copy(`oci:${layout}`, `docker://${other.address}/third:2`);
      expect(await digestsAt(`${other.address}/third`, subject)).toEqual([first.digest, second.digest]);
      expect(await digestsAt(`${other.address}/third`, first)).toEqual([ofFirst.digest]);
      expect(await raw(`docker://${other.address}/third:2`)).toBe(await raw(`docker://${name}`));
      await expect(copy(`docker://${name}`, `oci-archive:${layout}.tar`)).rejects.toMatchObject({
        code: "invalid-argument",
      });
    },
  );
});

describe("Images.pull", () => {
  test("for all platforms makes each of them ready, and the whole can be pushed on", async () => {
    await using root = await ImageRoot.create();
    await using other = await Registry.start();
    const name = `${registry.address}/multi:1`;
    expect(await root.images.pull(name, { allPlatforms: true })).toMatchObject({ changed: true });
    const platforms = root.images.list().map(({ platform }) => platform);
    expect(platforms.toSorted()).toEqual(["linux/amd64", "linux/arm64"]);
    expect(await root.images.pull(name, { allPlatforms: true })).toMatchObject({ changed: false });
    root.images.tag(name, `${other.address}/multi:1`);
    expect(await root.images.push(`${other.address}/multi:1`)).toMatchObject({ isPart: false });
    expect(await raw(`docker://${other.address}/multi:1`)).toBe(await raw(`docker://${name}`));
    await expect(root.images.pull(name, { allPlatforms: true, platform: "linux/arm64" })).rejects.toMatchObject({
      code: "invalid-argument",
    });
  });

  test("falls back from a mirror that hangs, one that breaks off, and one with damaged layers", async () => {
    await using hanging = await FaultProxy.start(registry.address, [{ fault: { kind: "stall", after: 0 } }]);
    await using breaking = await FaultProxy.start(registry.address, [
      { path: "/blobs/", fault: { kind: "truncate", after: 50_000 } },
    ]);
    await using damaged = await FaultProxy.start(registry.address, [
      { path: "/blobs/", skip: 1, fault: { kind: "corrupt", offset: 60_000 } },
    ]);
    await using root = await ImageRoot.create({
      registry: {
        hostsDirectories: [join("/var/tmp", `sampan-mirrors-${process.pid}`)],
        mirrorStallTimeout: 500,
        retry: { attempts: 2, delay: 1 },
      },
    });
    const directory = join("/var/tmp", `sampan-mirrors-${process.pid}`, "registry.example.com");
    await mkdir(directory, { recursive: true });
    const mirrors = [hanging, damaged, breaking].map(({ address }) => `[host."http://${address}"]\n`);
    await writeFile(join(directory, "hosts.toml"), `server = "http://${registry.address}"\n${mirrors.join("")}`);
    const image = await root.images.pull("registry.example.com/app:3");
    expect(await root.inside(image.chainId, "chroot $1 /bin/busybox id -u")).toBe("0");
    expect(await root.contents()).toMatchObject({ ingests: 0, temporary: 0 });
    // One try of the one that hangs is enough for the whole pull. What HEAD asks for it answers.
    expect(hanging.requests.map(({ method }) => method)).toEqual(["HEAD", "GET"]);
    expect(damaged.requests.every(({ path }) => path.endsWith("?ns=registry.example.com"))).toBe(true);
    await mustHere(["rm", "-r", join(directory, "..")]);
  });
});

describe("Registry.remove", () => {
  test("deletes tags that have a manifest alone, manifests and blobs", async () => {
    await using own = await Registry.start();
    for (const tag of ["1", "2"]) await own.push(await testImage("busybox"), `app:${tag}`);
    await own.push(await testImage("configured"), "app:3");
    using client = new Client();
    const at = (name: string) => parseReference(`${own.address}/app${name}`);
    await expect(client.remove(at(":1"))).rejects.toMatchObject({
      code: "failed-precondition",
      message: `Cannot delete "${own.address}/app:1": ${own.address} deletes manifests only, and this one has the tag 2 too`,
    });
    expect(await client.remove(at(":3"))).toBe("manifest");
    expect((await client.tags(at(""))).toSorted()).toEqual(["1", "2"]);
    const { digest } = await client.resolve(at(":1"));
    const blobs = join(own.storage, "docker/registry/v2/repositories/app/_layers/sha256");
    const [layer] = await readdir(blobs);
    expect(await client.remove(at(`@sha256:${layer}`), { blob: true })).toBe("blob");
    expect(await client.remove(at(":2"), { force: true })).toBe("manifest");
    await expect(client.remove(at(`@${digest}`))).rejects.toMatchObject({ code: "not-found" });
    await expect(client.resolve(at(":1"))).rejects.toMatchObject({ code: "not-found" });
    await using fixed = await Registry.start({ env: { REGISTRY_STORAGE_DELETE_ENABLED: "false" } });
    await fixed.push(await testImage("busybox"), "app:1");
    await expect(client.remove(parseReference(`${fixed.address}/app:1`))).rejects.toMatchObject({
      code: "permission-denied",
      message: expect.stringMatching(/lets nothing be deleted/),
    });
  });
});

test("sampan pulls and pushes all tags, deletes in the registry, and finds mirrors by --hosts-dir and SAMPAN_HOSTS_DIR", async () => {
  await using stocked = await StockedHost.create([]);
  const { host } = stocked;
  const address = stocked.registry.address;
  for (const tag of ["1", "2"]) await stocked.registry.push(await testImage("busybox"), `app:${tag}`);
  expect(await stocked.must(["pull", "-q", "--all-tags", `${address}/app`])).toBe(`${address}/app:1\n${address}/app:2`);
  for (const tag of ["1", "2"]) await stocked.must(["tag", `${address}/app:1`, `${address}/other:${tag}`]);
  const pushed = await stocked.must(["push", "-q", "-a", `${address}/other`]);
  expect(pushed.split("\n").map((line) => line.replace(/sha256:.*/, ""))).toEqual([
    `${address}/other:1@`,
    `${address}/other:2@`,
  ]);
  expect((await stocked.must(["tags", `${address}/other`])).split("\n").toSorted()).toEqual(["1", "2"]);
  await stocked.must(["registry", "rm", "--force", `${address}/other:1`]);
  expect((await host.sampan(["tags", `${address}/other`])).stdout).toBe("");

  const files = join(host.files, "certs.d", "_default");
  await host.must(["mkdir", "-p", files]);
  await host.must(["sh", "-c", `cat > ${files}/hosts.toml`], { input: `server = "http://${address}"\n` });
  const hosts = join(host.files, "certs.d");
  expect(await stocked.must(["pull", "-q", "--hosts-dir", hosts, "one.example.com/app:1"])).toBe(
    "one.example.com/app:1",
  );
  const env = { SAMPAN_HOSTS_DIR: hosts };
  expect(await stocked.must(["pull", "-q", "two.example.com/app:1"], { env })).toBe("two.example.com/app:1");
  await host.must(["sh", "-c", `cat > ${files}/hosts.toml`], { input: '[host."x"]\nskip_verify = 1\n' });
  const { code, stderr } = await host.sampan(["pull", "three.example.com/app:1"], { env });
  expect({ code, stderr: stderr.split("\n")[0] }).toEqual({
    code: 1,
    stderr: `sampan: Cannot read "${files}/hosts.toml": line 2: host.x.skip_verify must be true or false`,
  });
});
