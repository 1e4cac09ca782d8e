import { expect, test } from "vitest";
import { mediaTypes, parseReference } from "#spec";
import { descriptorOf, FakeServer, sendBlob } from "./fake-registry.ts";
import { Registry } from "./registry.ts";

const retry = { attempts: 3, delay: 1, maxDelay: 50 };
const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 31) % 253));
const layer = descriptorOf(bytes, mediaTypes.ociLayerGzip);

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function fetchFrom(
  server: FakeServer,
  options: { offset?: number; stallTimeout?: number } = {},
): Promise<Buffer> {
  using registry = new Registry({ retry, stallTimeout: options.stallTimeout ?? 5000 });
  return await collect(registry.fetchBlob(parseReference(`${server.host}/a`), layer, { offset: options.offset ?? 0 }));
}

test("Registry.fetchBlob() streams a blob, also from an offset", async () => {
  await using server = await FakeServer.start((request, response) => sendBlob(bytes, request, response));
  expect(await fetchFrom(server)).toEqual(bytes);
  expect(await fetchFrom(server, { offset: 99_000 })).toEqual(bytes.subarray(99_000));
  expect(await fetchFrom(server, { offset: 100_000 })).toHaveLength(0);
  expect(server.seen.map(({ path, range }) => [path, range])).toEqual([
    [`/v2/a/blobs/${layer.digest}`, undefined],
    [`/v2/a/blobs/${layer.digest}`, "bytes=99000-"],
  ]);
});

test("Registry.fetchBlob() goes on by Range where connections broke", async () => {
  await using server = await FakeServer.start((request, response) => {
    if (server.seen.length > 3) return sendBlob(bytes, request, response);
    const from = Number(request.range?.slice("bytes=".length, -1) ?? 0);
    const headers = { "content-length": bytes.length - from, "content-range": `bytes ${from}-99999/100000` };
    response.writeHead(from === 0 ? 200 : 206, headers);
    return void response.write(bytes.subarray(from, from + 20_000), () => setTimeout(() => response.destroy(), 5));
  });
  expect(await fetchFrom(server)).toEqual(bytes);
  expect(server.seen.map(({ range }) => range)).toEqual([undefined, "bytes=20000-", "bytes=40000-", "bytes=60000-"]);
});

test("Registry.fetchBlob() skips what it has where the server does not know Range", async () => {
  await using server = await FakeServer.start((_, response) => {
    response.writeHead(200, { "content-length": bytes.length });
    if (server.seen.length > 1) return void response.end(bytes);
    return void response.write(bytes.subarray(0, 30_000), () => setTimeout(() => response.destroy(), 5));
  });
  expect(await fetchFrom(server)).toEqual(bytes);
});

test("Registry.fetchBlob() gives up on a blob that always ends early", async () => {
  await using server = await FakeServer.start(({ range }, response) => {
    // Without a length, so that the end looks regular.
    const headers = range === undefined ? {} : { "content-range": "bytes 50000-99999/100000" };
    response.writeHead(range === undefined ? 200 : 206, headers);
    response.end(range === undefined ? bytes.subarray(0, 50_000) : undefined);
  });
  await expect(fetchFrom(server)).rejects.toMatchObject({
    code: "data-loss",
    message: `Cannot pull "${server.host}/a:latest": it ends after 50000 of 100000 bytes of layer ${layer.digest}`,
  });
  expect(server.seen).toHaveLength(4);
});

test("Registry.fetchBlob() gives up on connections that always break", async () => {
  await using server = await FakeServer.start((request, response) => {
    response.writeHead(request.range === undefined ? 200 : 206, {
      "content-length": request.range === undefined ? 100_000 : 90_000,
      "content-range": "bytes 10000-99999/100000",
    });
    if (request.range === undefined) response.write(bytes.subarray(0, 10_000));
    else response.flushHeaders();
    setTimeout(() => response.destroy(), 5);
  });
  await expect(fetchFrom(server)).rejects.toMatchObject({
    code: "unavailable",
    message: `Cannot pull "${server.host}/a:latest": ${server.host} closed the connection after 10000 of 100000 bytes of layer ${layer.digest}`,
  });
});

test("Registry.fetchBlob() takes no more bytes than the descriptor says", async () => {
  const longer = Buffer.concat([bytes, Buffer.from("x")]);
  await using server = await FakeServer.start((_, response) => {
    response.writeHead(200, server.seen.length === 1 ? { "content-length": longer.length } : {});
    response.end(longer);
  });
  for (const state of [
    `layer ${layer.digest} must have 100000 bytes, but ${server.host} has 100001`,
    `layer ${layer.digest} has more than its 100000 bytes`,
  ]) {
    await expect(fetchFrom(server)).rejects.toMatchObject({
      code: "data-loss",
      message: `Cannot pull "${server.host}/a:latest": ${state}`,
    });
  }
});

test("Registry.fetchBlob() refuses another part than it asked for", async () => {
  await using server = await FakeServer.start((_, response) => {
    response.writeHead(206, { "content-range": "bytes 0-99999/100000" }).end(bytes);
  });
  await expect(fetchFrom(server, { offset: 10 })).rejects.toMatchObject({ code: "data-loss" });
});

test("Registry.fetchBlob() goes on after a stall, but not while its reader is slow", async () => {
  await using server = await FakeServer.start((request, response) => {
    if (server.seen.length > 1) return sendBlob(bytes, request, response);
    response.writeHead(200, { "content-length": bytes.length });
    return void response.write(bytes.subarray(0, 10));
  });
  expect(await fetchFrom(server, { stallTimeout: 50 })).toEqual(bytes);
  expect(server.seen.map(({ range }) => range)).toEqual([undefined, "bytes=10-"]);

  server.seen.length = 1;
  using registry = new Registry({ retry, stallTimeout: 50 });
  for await (const _ of registry.fetchBlob(parseReference(`${server.host}/a`), layer)) {
    await new Promise((resolve) => {
      setTimeout(resolve, 120);
    });
  }
  expect(server.seen).toHaveLength(2);
});

test("Registry.fetchBlob() never asks a foreign layer's URL (CVE-2020-15157)", async () => {
  await using elsewhere = await FakeServer.start((request, response) => sendBlob(bytes, request, response));
  await using server = await FakeServer.start((request, response) => sendBlob(bytes, request, response));
  using registry = new Registry({ retry, credentials: () => ({ username: "u", password: "p" }) });
  const reference = parseReference(`${server.host}/a`);
  const urls = [`http://${elsewhere.host}/layer`];
  const foreign = { ...layer, urls, mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" };
  expect(() => registry.fetchBlob(reference, foreign)).toThrow(
    expect.objectContaining({
      code: "unsupported",
      message: `Cannot pull "${server.host}/a:latest": layer ${layer.digest} is held elsewhere, by a foreign URL`,
    }),
  );
  expect(await collect(registry.fetchBlob(reference, { ...layer, urls }))).toEqual(bytes);
  expect(elsewhere.seen).toEqual([]);
});

test("Registry.fetchBlob() follows redirects to other hosts without the Authorization header", async () => {
  await using storage = await FakeServer.start((request, response) => sendBlob(bytes, request, response));
  await using server = await FakeServer.start(({ authorization, path }, response) => {
    if (authorization === undefined) {
      return void response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
    }
    const location = path.startsWith("/v2/") ? "/second" : `http://${storage.host}/blob?signature=1`;
    return void response.writeHead(307, { location }).end();
  });
  using registry = new Registry({ retry, credentials: () => ({ username: "u", password: "p" }) });
  expect(await collect(registry.fetchBlob(parseReference(`${server.host}/a`), layer))).toEqual(bytes);
  expect(server.seen.map(({ path, authorization }) => [path, authorization])).toEqual([
    [`/v2/a/blobs/${layer.digest}`, undefined],
    [`/v2/a/blobs/${layer.digest}`, "Basic dTpw"],
    ["/second", "Basic dTpw"],
  ]);
  expect(storage.seen.map(({ path, authorization }) => [path, authorization])).toEqual([
    ["/blob?signature=1", undefined],
  ]);
});

test.each([
  ["in a circle", (host: string) => `http://${host}/again`, "redirects more than 10 times"],
  ["to a file", () => "file:///etc/passwd", "redirects to no web address"],
])("Registry.fetchBlob() refuses to be redirected %s", async (_, location, state) => {
  await using server = await FakeServer.start((_request, response) => {
    response.writeHead(302, { location: location(server.host) }).end();
  });
  await expect(fetchFrom(server)).rejects.toMatchObject({
    code: "unavailable",
    message: `Cannot pull "${server.host}/a:latest": ${server.host} ${state}`,
  });
});

test("Registry.fetchBlob() says that a layer is missing", async () => {
  await using server = await FakeServer.start();
  await expect(fetchFrom(server)).rejects.toMatchObject({
    code: "not-found",
    message: `Cannot pull "${server.host}/a:latest": ${server.host} has no layer ${layer.digest}`,
  });
});
