import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PullProgress } from "#images";
import { FaultProxy } from "../support/fault-proxy.ts";
import { ImageRoot } from "../support/image-root.ts";
import { testImage } from "../support/images.ts";
import { mustHere } from "../support/process.ts";
import { Registry } from "../support/registry.ts";
import { StockedHost } from "../support/stocked-host.ts";

let registry: Registry;
beforeAll(async () => {
  registry = await Registry.start();
  for (const name of ["busybox", "layers", "zstd"] as const)
    await registry.push(await testImage(name), `${name}:1`, ["--preserve-digests"]);
  await registry.push(await testImage("layers"), "docker:1", ["--format", "v2s2"]);
  await registry.push(await testImage("multi"), "multi:1", ["--multi-arch", "all"]);
});
afterAll(async () => registry[Symbol.asyncDispose]());

const raw = async (name: string): Promise<string> =>
  await mustHere(["skopeo", "inspect", "--raw", "--tls-verify=false", `docker://${name}`]);

/** Every blob of it is fetched and checked by skopeo. */
const readBack = async (name: string): Promise<void> => {
  const target = `/var/tmp/sampan-read-back-${process.pid}`;
  await mustHere(["rm", "-rf", target]);
  const copy = ["skopeo", "--insecure-policy", "copy", "--quiet", "--src-tls-verify=false", "--multi-arch", "all"];
  await mustHere([...copy, "--preserve-digests", `docker://${name}`, `dir:${target}`]);
  await mustHere(["rm", "-rf", target]);
};

describe("Images.push", () => {
  test.each(["layers", "docker", "zstd"])("gives %s to another registry byte for byte", async (name) => {
    await using root = await ImageRoot.create();
    await using other = await Registry.start();
    const source = `${registry.address}/${name}:1`;
    const target = `${other.address}/team/${name}:2`;
    const { target: digest } = await root.images.pull(source);
    root.images.tag(source, target);
    const seen: PullProgress[] = [];
    const pushed = await root.images.push(target, { onProgress: (progress) => seen.push(progress) });
    expect(pushed).toEqual({ name: target, digest, isPart: false });
    expect(await raw(target)).toBe(await raw(source));
    await readBack(target);
    expect(new Set(seen.map(({ status }) => status))).toEqual(new Set(["waiting", "pushing", "done"]));
    seen.length = 0;
    await root.images.push(target, { onProgress: (progress) => seen.push(progress) });
    expect(new Set(seen.map(({ status }) => status))).toEqual(new Set(["waiting", "exists"]));
  });

  test("takes over blobs of another repository of the registry", async () => {
    await using root = await ImageRoot.create();
    await using proxy = await FaultProxy.start(registry.address);
    const source = `${proxy.address}/layers:1`;
    await root.images.pull(source);
    root.images.tag(source, `${proxy.address}/mounted:1`);
    proxy.requests.length = 0;
    const seen: PullProgress[] = [];
    await root.images.push(`${proxy.address}/mounted:1`, { onProgress: (progress) => seen.push(progress) });
    expect(new Set(seen.map(({ status }) => status))).toEqual(new Set(["waiting", "mounted"]));
    expect(proxy.requests.filter(({ method }) => method === "PUT")).toMatchObject([
      { path: "/v2/mounted/manifests/1" },
    ]);
    await readBack(`${registry.address}/mounted:1`);
  });

  test("fetches a layer that another image brought unpacked", async () => {
    await using root = await ImageRoot.create();
    await using other = await Registry.start();
    await root.images.pull(`${registry.address}/layers:1`);
    await root.images.pull(`${registry.address}/zstd:1`);
    root.images.tag(`${registry.address}/zstd:1`, `${other.address}/zstd:1`);
    await root.images.push(`${other.address}/zstd:1`);
    expect(await raw(`${other.address}/zstd:1`)).toBe(await raw(`${registry.address}/zstd:1`));
    await readBack(`${other.address}/zstd:1`);
  });

  test("gives the platform that is here, the whole index when it is, or when it is asked for", async () => {
    await using root = await ImageRoot.create();
    await using other = await Registry.start();
    const source = `${registry.address}/multi:1`;
    const target = `${other.address}/multi:1`;
    const image = await root.images.pull(source);
    root.images.tag(source, target);
    expect(await root.images.push(target)).toEqual({ name: target, digest: image.manifest, isPart: true });
    await readBack(target);

    expect(await root.images.push(target, { allPlatforms: true })).toMatchObject({ digest: image.target });
    expect(await raw(target)).toBe(await raw(source));
    await readBack(target);

    await root.images.pull(source, { platform: process.arch === "arm64" ? "linux/amd64" : "linux/arm64" });
    await using third = await Registry.start();
    root.images.tag(source, `${third.address}/multi:1`);
    expect(await root.images.push(`${third.address}/multi:1`)).toMatchObject({ digest: image.target, isPart: false });
    await readBack(`${third.address}/multi:1`);
    const platform = `linux/${process.arch === "x64" ? "amd64" : process.arch}`;
    expect(await root.images.push(`${third.address}/multi:1`, { platform })).toMatchObject({
      digest: image.manifest,
      isPart: true,
    });
  });

  test("tries again where a registry breaks off or is busy, and gives up with its reason", async () => {
    await using root = await ImageRoot.create();
    await using other = await Registry.start();
    await using proxy = await FaultProxy.start(other.address);
    const source = `${registry.address}/layers:1`;
    const target = `${proxy.address}/layers:1`;
    await root.images.pull(source);
    root.images.tag(source, target);
    proxy.setRules([
      { method: "PUT", path: "uploads", fault: { kind: "drop" }, times: 2 },
      { method: "POST", fault: { kind: "status", status: 503 }, times: 1 },
      { method: "PUT", path: "manifests", fault: { kind: "status", status: 502 }, times: 1 },
    ]);
    await root.images.push(target);
    expect(await raw(`${other.address}/layers:1`)).toBe(await raw(source));
    await readBack(`${other.address}/layers:1`);

    root.images.tag(source, `${proxy.address}/denied:1`);
    const body = JSON.stringify({ errors: [{ code: "DENIED", message: "quota exceeded" }] });
    proxy.setRules([{ method: "POST", fault: { kind: "status", status: 403, body } }]);
    await expect(root.images.push(`${proxy.address}/denied:1`)).rejects.toMatchObject({
      code: "permission-denied",
      message: `Cannot push "${proxy.address}/denied:1": ${proxy.address} denies access (quota exceeded)`,
    });
  });

  test("logs in, and says when it has to", async () => {
    await using root = await ImageRoot.create();
    await using closed = await Registry.start({ users: { anna: "secret" } });
    const source = `${registry.address}/busybox:1`;
    const target = `${closed.address}/busybox:1`;
    await root.images.pull(source);
    root.images.tag(source, target);
    await expect(root.images.push(target)).rejects.toMatchObject({ code: "permission-denied" });
    const credentials = () => ({ username: "anna", password: "secret" });
    const { digest } = await root.images.push(target, { credentials });
    expect(await root.images.pull(target, { credentials })).toMatchObject({ target: digest });
  });
});

test("sampan push prints what the registry has", async () => {
  await using stocked = await StockedHost.create(["multi"]);
  const digest = /^\S+@(sha256:[0-9a-f]{64})$/;
  const { stdout, stderr, code } = await stocked.host.sampan(["push", stocked.image("multi")]);
  expect({ code, stdout: stdout.trim() }).toEqual({ code: 0, stdout: expect.stringMatching(digest) });
  expect(stderr).toContain("Only the platform that is here was pushed");
  await stocked.must(["pull", stdout.trim().replace(/:1@/, "@")]);
});
