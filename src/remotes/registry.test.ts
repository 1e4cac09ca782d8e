import { expect, test } from "vitest";
import { mediaTypes, parsePlatform, parseReference, type Digest } from "#spec";
import { descriptorOf, FakeServer, manifestDescriptor, manifestText, sendManifest } from "./fake-registry.ts";
import { Registry } from "./registry.ts";

const retry = { attempts: 3, delay: 1, maxDelay: 50 };

test("Registry.resolve() asks by HEAD and trusts the digest header", async () => {
  await using server = await FakeServer.start(sendManifest);
  using registry = new Registry({ retry });
  expect(await registry.resolve(parseReference(`${server.host}/a/b:1`))).toEqual(manifestDescriptor);
  expect(server.seen.map(({ method, path }) => `${method} ${path}`)).toEqual(["HEAD /v2/a/b/manifests/1"]);
});

test.each([
  ["no digest", undefined],
  ["a digest that is a path (CVE-2024-3727)", "sha256:../../etc/passwd"],
])("Registry.resolve() computes the digest of a GET where HEAD has %s", async (_, header) => {
  await using server = await FakeServer.start(({ method }, response) => {
    response.setHeader("content-type", mediaTypes.ociManifest);
    if (header !== undefined) response.setHeader("docker-content-digest", header);
    response.end(method === "HEAD" ? undefined : manifestText);
  });
  using registry = new Registry({ retry });
  expect(await registry.resolve(parseReference(`${server.host}/a`))).toEqual(manifestDescriptor);
});

test("Registry.resolve() refuses bytes that are not those of the digest header", async () => {
  await using server = await FakeServer.start(({ method }, response) => {
    if (method === "HEAD") return void response.writeHead(405).end();
    response.setHeader("docker-content-digest", `sha256:${"0".repeat(64)}`);
    return void response.end(manifestText);
  });
  using registry = new Registry({ retry });
  await expect(registry.resolve(parseReference(`${server.host}/a`))).rejects.toMatchObject({ code: "data-loss" });
});

test("Registry.resolve() selects the manifest of a platform", async () => {
  const index = JSON.stringify({
    schemaVersion: 2,
    manifests: [{ ...manifestDescriptor, platform: { os: "linux", architecture: "arm64" } }],
  });
  const descriptor = descriptorOf(index, mediaTypes.ociIndex);
  await using server = await FakeServer.start(({ method }, response) => {
    response.setHeader("content-type", mediaTypes.ociIndex);
    response.setHeader("docker-content-digest", descriptor.digest);
    response.setHeader("content-length", descriptor.size);
    response.end(method === "HEAD" ? undefined : index);
  });
  using registry = new Registry({ retry });
  const reference = parseReference(`${server.host}/a`);
  expect(await registry.resolve(reference)).toEqual(descriptor);
  expect(await registry.resolve(reference, { platform: parsePlatform("arm64") })).toMatchObject(manifestDescriptor);
  await expect(registry.resolve(reference, { platform: parsePlatform("amd64") })).rejects.toMatchObject({
    code: "not-found",
    message: 'Cannot find a manifest for platform "linux/amd64": the image is for linux/arm64',
  });
});

test.each([
  ["NAME_UNKNOWN", "has no repository a/b"],
  ["MANIFEST_UNKNOWN", 'has no tag "1"'],
])("Registry.resolve() says what is missing on %s", async (code, state) => {
  await using server = await FakeServer.start((_, response) => {
    response.writeHead(404).end(JSON.stringify({ errors: [{ code, message: "x" }] }));
  });
  using registry = new Registry({ retry });
  await expect(registry.resolve(parseReference(`${server.host}/a/b:1`))).rejects.toMatchObject({
    code: "not-found",
    message: `Cannot pull "${server.host}/a/b:1": ${server.host} ${state}`,
    fields: { status: 404, remedy: "Check the image's name and tag" },
  });
});

test("Registry.resolve() refuses schema 1", async () => {
  const mediaType = "application/vnd.docker.distribution.manifest.v1+prettyjws";
  await using server = await FakeServer.start((_, response) => {
    response.writeHead(200, {
      "content-type": mediaType,
      "content-length": 10,
      "docker-content-digest": manifestDescriptor.digest,
    });
    response.end();
  });
  using registry = new Registry({ retry });
  await expect(registry.resolve(parseReference(`${server.host}/a`))).rejects.toMatchObject({ code: "unsupported" });
});

test("Registry.resolve() asks no registry for a local image", async () => {
  using registry = new Registry({ retry });
  await expect(registry.resolve(parseReference("localhost/a"))).rejects.toMatchObject({
    code: "not-found",
    message: 'Cannot pull "localhost/a:latest": it is a local image, no registry has it',
  });
});

test("Registry.resolve() says that nothing listens", async () => {
  const server = await FakeServer.start();
  const { host } = server;
  await server[Symbol.asyncDispose]();
  using registry = new Registry({ retry });
  await expect(registry.resolve(parseReference(`${host}/a`))).rejects.toMatchObject({
    code: "unavailable",
    message: `Cannot pull "${host}/a:latest": ${host} refuses connections`,
    fields: { remedy: "Check that it runs" },
  });
});

test("Registry.resolve() tries again after 503, 429 and a reset, and gives up in the end", async () => {
  let count = 0;
  await using server = await FakeServer.start((request, response, message) => {
    count += 1;
    if (count === 1) return void response.writeHead(503).end();
    if (count === 2) return void message.socket.destroy();
    return sendManifest(request, response);
  });
  using registry = new Registry({ retry });
  expect(await registry.resolve(parseReference(`${server.host}/a`))).toEqual(manifestDescriptor);

  server.handler = (_, response) => response.writeHead(429, { "retry-after": "0" }).end();
  server.seen.length = 0;
  await expect(registry.resolve(parseReference(`${server.host}/a`))).rejects.toMatchObject({
    code: "unavailable",
    message: `Cannot pull "${server.host}/a:latest": ${server.host} limits the rate of requests`,
    fields: { status: 429 },
  });
  expect(server.seen.map(({ method }) => method)).toEqual(["HEAD", "HEAD", "HEAD", "GET", "GET", "GET"]);
});

test("Registry.resolve() does not wait where Retry-After is longer than it may", async () => {
  await using server = await FakeServer.start((_, response) => {
    response.writeHead(503, { "retry-after": "3600" }).end();
  });
  using registry = new Registry({ retry });
  await expect(registry.resolve(parseReference(`${server.host}/a`))).rejects.toMatchObject({ code: "unavailable" });
  expect(server.seen).toHaveLength(2);
});

test("Registry.resolve() ends when it is cancelled", async () => {
  await using server = await FakeServer.start(() => {});
  using registry = new Registry({ retry });
  const controller = new AbortController();
  const resolved = registry.resolve(parseReference(`${server.host}/a`), { signal: controller.signal });
  setTimeout(() => controller.abort(), 20);
  await expect(resolved).rejects.toMatchObject({ code: "cancelled" });
});

test("Registry.resolve() gives up on a server that sends no answer", async () => {
  await using server = await FakeServer.start(() => {});
  using registry = new Registry({ retry: { ...retry, attempts: 2 }, stallTimeout: 30 });
  await expect(registry.resolve(parseReference(`${server.host}/a`))).rejects.toMatchObject({
    code: "unavailable",
    message: `Cannot pull "${server.host}/a:latest": ${server.host} connected but sends no answer`,
  });
});

test("Registry.fetchManifest() refuses other bytes, and more than the descriptor says", async () => {
  await using server = await FakeServer.start(sendManifest);
  using registry = new Registry({ retry });
  const reference = parseReference(`${server.host}/a`);
  const { bytes, document } = await registry.fetchManifest(reference, manifestDescriptor);
  expect([Buffer.from(bytes).toString(), document.kind]).toEqual([manifestText, "manifest"]);
  const other = { ...manifestDescriptor, digest: `sha256:${"0".repeat(64)}` as Digest };
  await expect(registry.fetchManifest(reference, other)).rejects.toMatchObject({ code: "data-loss" });
  const short = { ...manifestDescriptor, size: 10 };
  await expect(registry.fetchManifest(reference, short)).rejects.toMatchObject({ code: "data-loss" });
});
