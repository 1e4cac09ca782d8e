import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { mediaTypes, parseReference } from "#spec";
import { descriptorOf, FakeServer, manifestDescriptor, manifestText } from "./fake-registry.ts";
import { Registry } from "./registry.ts";

const retry = { attempts: 3, delay: 1, maxDelay: 2000 };
const bytes = Buffer.alloc(3_000_000, "layer ");
const blob = descriptorOf(bytes, mediaTypes.ociLayer);

async function* from(offset: number, data: Uint8Array = bytes): AsyncGenerator<Uint8Array> {
  for (let at = offset; at < data.length; at += 100_000) yield data.subarray(at, Math.min(at + 100_000, data.length));
}

/** A registry of one upload, which stores what it gets; `broken` makes it break connections. */
class Store implements AsyncDisposable {
  stored = Buffer.alloc(0);
  readonly seen: string[] = [];
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  breakAfter: number | undefined;
  limit = Infinity;
  begins = 0;

  static async start(): Promise<Store> {
    const store = new Store();
    await new Promise<void>((resolve) => void store.#server.listen(0, "127.0.0.1", resolve));
    return store;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const range = request.headers["content-range"];
    this.seen.push(`${request.method} ${(request.url ?? "").split("?")[0]}${range === undefined ? "" : ` ${range}`}`);
    if (request.method === "HEAD") return void response.writeHead(404).end();
    if (request.method === "POST") {
      this.begins += 1;
      this.stored = Buffer.alloc(0);
      return void response.writeHead(202, { location: "/upload/1" }).end();
    }
    if (request.method === "GET") {
      const end = Math.max(0, this.stored.length - 1);
      return void response.writeHead(204, { location: "/upload/1", range: `0-${end}` }).end();
    }
    if (Number(request.headers["content-length"]) > this.limit) return void response.writeHead(413).end();
    request.on("error", () => {});
    for await (const chunk of request) {
      this.stored = Buffer.concat([this.stored, chunk as Uint8Array]);
      if (this.breakAfter !== undefined && this.stored.length >= this.breakAfter) {
        this.breakAfter = undefined;
        request.socket.destroy();
        return;
      }
    }
    response.writeHead(request.method === "PUT" ? 201 : 202, { location: "/upload/1" }).end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => void this.#server.close(resolve));
  }
}

const put = async (host: string, options: { uploadChunk?: number } = {}): Promise<string> => {
  using registry = new Registry({ retry, ...options });
  return await registry.pushBlob(parseReference(`${host}/app:1`), blob, from);
};

describe("Registry.pushBlob", () => {
  test("asks, then sends all in one request", async () => {
    await using store = await Store.start();
    expect(await put(store.host)).toBe("done");
    expect(store.stored.equals(bytes)).toBe(true);
    expect(store.seen).toEqual([`HEAD /v2/app/blobs/${blob.digest}`, "POST /v2/app/blobs/uploads/", "PUT /upload/1"]);
  });

  test("goes on where a broken connection has left off", async () => {
    await using store = await Store.start();
    store.breakAfter = 1_000_000;
    expect(await put(store.host)).toBe("done");
    expect(store.stored.equals(bytes)).toBe(true);
    expect(store.begins).toBe(1);
    expect(store.seen.slice(3)).toEqual([
      "GET /upload/1",
      expect.stringMatching(/^PATCH \/upload\/1 1\d+-2999999$/),
      "PUT /upload/1",
    ]);
  });

  test("sends parts of the size that is set, each once", async () => {
    await using store = await Store.start();
    expect(await put(store.host, { uploadChunk: 1_250_000 })).toBe("done");
    expect(store.stored.equals(bytes)).toBe(true);
    expect(store.seen.slice(2)).toEqual([
      "PATCH /upload/1 0-1249999",
      "PATCH /upload/1 1250000-2499999",
      "PATCH /upload/1 2500000-2999999",
      "PUT /upload/1",
    ]);
  });

  test("gives up when nothing more can be sent, and says why", async () => {
    await using store = await Store.start();
    store.limit = 10;
    await expect(put(store.host)).rejects.toMatchObject({
      code: "unavailable",
      message: `Cannot push "${store.host}/app:1": ${store.host} answers with status 413`,
    });
  });

  test("waits as long as the registry asks", async () => {
    const times: number[] = [];
    await using fake = await FakeServer.start(({ method }, response) => {
      if (method === "HEAD") response.writeHead(404).end();
      else if (method === "POST") response.writeHead(202, { location: "/upload/1" }).end();
      else {
        times.push(performance.now());
        if (times.length === 1) response.writeHead(429, { "retry-after": "1" }).end();
        else response.writeHead(method === "PUT" ? 201 : 404).end();
      }
    });
    expect(await put(fake.host)).toBe("done");
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(900);
  });

  test("sends no credentials to another host that takes the bytes", async () => {
    await using storage = await FakeServer.start((_, response) => response.writeHead(201).end());
    await using fake = await FakeServer.start(({ method, authorization }, response) => {
      if (authorization === undefined) response.writeHead(401, { "www-authenticate": "Basic realm=x" }).end();
      else if (method === "HEAD") response.writeHead(404).end();
      else response.writeHead(202, { location: `http://${storage.host}/put?state=1` }).end();
    });
    using registry = new Registry({ retry, credentials: () => ({ username: "u", password: "p" }) });
    expect(await registry.pushBlob(parseReference(`${fake.host}/app:1`), blob, from)).toBe("done");
    expect(storage.seen.map(({ method, path, authorization }) => ({ method, path, authorization }))).toEqual([
      { method: "PUT", path: `/put?state=1&digest=${encodeURIComponent(blob.digest)}`, authorization: undefined },
    ]);
  });

  test("mounts from another repository, with a token for both", async () => {
    await using fake = await FakeServer.start(({ method, path, authorization }, response) => {
      if (path.startsWith("/token")) response.writeHead(200).end(JSON.stringify({ token: "t" }));
      else if (method === "POST" && authorization !== undefined) response.writeHead(201).end();
      else if (method === "HEAD") response.writeHead(404).end();
      else {
        const realm = `Bearer realm="http://${fake.host}/token",service="s"`;
        response.writeHead(401, { "www-authenticate": realm }).end();
      }
    });
    using registry = new Registry({ retry });
    const reference = parseReference(`${fake.host}/app:1`);
    expect(await registry.pushBlob(reference, blob, from, { mountFrom: ["base"] })).toBe("mounted");
    expect(fake.seen.find(({ path }) => path.startsWith("/token"))?.path).toBe(
      "/token?service=s&scope=repository%3Aapp%3Apull%2Cpush&scope=repository%3Abase%3Apull",
    );
  });

  test("refuses a source that has other bytes, before the registry has all of it", async () => {
    await using store = await Store.start();
    const other = Buffer.from(bytes);
    other[0] = 0;
    using registry = new Registry({ retry });
    const wrong = registry.pushBlob(parseReference(`${store.host}/app:1`), blob, (offset) => from(offset, other));
    await expect(wrong).rejects.toMatchObject({ code: "data-loss" });
    expect(store.stored.length).toBeLessThan(bytes.length);
  });

  test("does not believe a registry that stored something else", async () => {
    await using fake = await FakeServer.start(({ method }, response) => {
      if (method === "HEAD") response.writeHead(404).end();
      else if (method === "POST") response.writeHead(202, { location: "/upload/1" }).end();
      else response.writeHead(201, { "docker-content-digest": manifestDescriptor.digest }).end();
    });
    await expect(put(fake.host)).rejects.toMatchObject({ code: "data-loss" });
    using registry = new Registry({ retry });
    const reference = parseReference(`${fake.host}/app:1`);
    const small = { ...manifestDescriptor, digest: blob.digest };
    await expect(registry.pushManifest(reference, small, Buffer.from(manifestText))).rejects.toMatchObject({
      code: "data-loss",
    });
    await registry.pushManifest(reference, manifestDescriptor, Buffer.from(manifestText), { tag: "1" });
    expect(fake.seen.at(-1)).toMatchObject({ method: "PUT", path: "/v2/app/manifests/1", body: manifestText });
  });

  test("refuses names that no registry has", async () => {
    using registry = new Registry({ retry });
    await expect(registry.pushBlob(parseReference("localhost/app"), blob, from)).rejects.toMatchObject({
      code: "invalid-argument",
    });
  });
});
