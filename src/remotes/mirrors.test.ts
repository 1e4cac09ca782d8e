import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mediaTypes, parseReference } from "#spec";
import { descriptorOf, FakeServer, manifestDescriptor, manifestText, sendBlob, sendManifest } from "./fake-registry.ts";
import { Registry } from "./registry.ts";
import type { RegistryOptions } from "./options.ts";

const retry = { attempts: 2, delay: 1, maxDelay: 10 };
const bytes = Buffer.alloc(300_000, "layer ");
const layer = descriptorOf(bytes, mediaTypes.ociLayerGzip);
const root = mkdtempSync(join(tmpdir(), "sampan-mirrors-"));
let counter = 0;
afterAll(() => rmSync(root, { recursive: true }));

/** A port that nothing listens on, and one that takes connections and says nothing. */
let refusing = "";
let silent = "";
const silentServer = createServer(() => undefined);
beforeAll(async () => {
  const port = async (server: ReturnType<typeof createServer>): Promise<string> =>
    await new Promise((resolve) => {
      server.listen(0, "127.0.0.1", () => resolve(`127.0.0.1:${(server.address() as { port: number }).port}`));
    });
  const other = createServer();
  refusing = await port(other);
  other.close();
  silent = await port(silentServer);
});
afterAll(() => void silentServer.close());

/** A client of the registry r.example.com, whose hosts are these. */
function clientOf(text: string, options: RegistryOptions = {}): Registry {
  counter += 1;
  const directory = join(root, String(counter));
  mkdirSync(join(directory, "r.example.com"), { recursive: true });
  writeFileSync(join(directory, "r.example.com/hosts.toml"), text);
  return new Registry({ retry, hostsDirectories: [directory], ...options });
}

const reference = parseReference("r.example.com/a/b:1");
const pulls = 'capabilities = ["pull", "resolve"]';
const gather = async (stream: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
};
const lines = ({ seen }: FakeServer): string[] => seen.map(({ method, path }) => `${method} ${path}`);

describe("a registry with mirrors", () => {
  test("is asked at the first that answers, which is told whose image is meant", async () => {
    await using mirror = await FakeServer.start(sendManifest);
    await using server = await FakeServer.start(sendManifest);
    using registry = clientOf(`server = "http://${server.host}/base"
      [host."http://${mirror.host}"]
      ${pulls}
      header.x-test = "1"`);
    expect(await registry.resolve(reference)).toEqual(manifestDescriptor);
    expect((await registry.fetchManifest(reference, manifestDescriptor)).bytes).toEqual(Buffer.from(manifestText));
    expect(lines(mirror)).toEqual([
      "HEAD /v2/a/b/manifests/1?ns=r.example.com",
      `GET /v2/a/b/manifests/${manifestDescriptor.digest}?ns=r.example.com`,
    ]);
    expect(lines(server)).toEqual([]);
  });

  test("is asked at the next one where one refuses, is silent, fails or has nothing", async () => {
    await using failing = await FakeServer.start((_, response) => void response.writeHead(503).end());
    await using empty = await FakeServer.start();
    await using denying = await FakeServer.start((_, response) => void response.writeHead(403).end());
    await using server = await FakeServer.start(sendManifest);
    const mirrors = [refusing, silent, failing.host, empty.host, denying.host];
    using registry = clientOf(
      `server = "http://${server.host}/base"\n${mirrors.map((host) => `[host."http://${host}"]\n`).join("")}`,
      { mirrorStallTimeout: 1000 },
    );
    expect(await registry.resolve(reference)).toEqual(manifestDescriptor);
    expect(lines(server)).toEqual(["HEAD /base/v2/a/b/manifests/1?ns=r.example.com"]);
    expect([failing.seen.length, empty.seen.length, denying.seen.length]).toEqual([2, 2, 2]);
    // Those that could not be reached are left alone for a while; the others may have this one.
    await registry.fetchManifest(reference, manifestDescriptor);
    expect([failing.seen.length, empty.seen.length, denying.seen.length]).toEqual([2, 3, 3]);
  });

  test("names every host that was asked, and why it failed", async () => {
    await using empty = await FakeServer.start();
    await using server = await FakeServer.start((_, response) => void response.writeHead(500).end());
    using registry = clientOf(
      `server = "http://${server.host}"\n[host."http://${refusing}"]\n[host."http://${silent}"]\n[host."http://${empty.host}"]`,
      { mirrorStallTimeout: 1000 },
    );
    await expect(registry.resolve(reference)).rejects.toMatchObject({
      code: "unavailable",
      message:
        `Cannot pull "r.example.com/a/b:1": 4 hosts of r.example.com were asked: ${refusing} refuses connections; ` +
        `${silent} connected but sends no answer; ${empty.host} has no tag "1"; ${server.host} answers with status 500`,
      fields: { remedy: "Try again later" },
    });
  });

  test("goes on with a layer at the next one where one breaks off, and asks no wrong one again", async () => {
    const requests: string[] = [];
    await using mirror = await FakeServer.start((request, response) => {
      requests.push(`mirror ${request.range}`);
      response.writeHead(200, { "content-length": bytes.length });
      response.write(bytes.subarray(0, 100_000), () => response.destroy());
    });
    await using wrong = await FakeServer.start((request, response) => {
      requests.push(`wrong ${request.range}`);
      sendBlob(Buffer.alloc(bytes.length, "x"), request, response);
    });
    await using server = await FakeServer.start((request, response) => {
      requests.push(`server ${request.range}`);
      sendBlob(bytes, request, response);
    });
    using broken = clientOf(`server = "http://${server.host}"\n[host."http://${mirror.host}"]`);
    expect((await gather(broken.fetchBlob(reference, layer))).equals(bytes)).toBe(true);
    expect(requests.at(0)).toBe("mirror undefined");
    expect(requests.at(-1)).toMatch(/^server bytes=\d+-$/);

    requests.length = 0;
    using lying = clientOf(`server = "http://${server.host}"\n[host."http://${wrong.host}"]`);
    expect((await gather(lying.fetchBlob(reference, layer))).equals(bytes)).toBe(false);
    expect(await lying.distrust(reference, layer)).toBe(true);
    expect((await gather(lying.fetchBlob(reference, layer))).equals(bytes)).toBe(true);
    expect(requests).toEqual(["wrong undefined", "server undefined"]);
    expect(await lying.distrust(reference, layer)).toBe(false);
  });

  test("gives each host its own password and headers, and no other host any", async () => {
    const asking =
      (handler: typeof sendManifest) =>
      (request: Parameters<typeof sendManifest>[0], response: Parameters<typeof sendManifest>[1]) => {
        if (request.authorization === undefined)
          return void response.writeHead(401, { "www-authenticate": "Basic realm=x" }).end();
        return handler(request, response);
      };
    await using mirror = await FakeServer.start(asking((_, response) => void response.writeHead(404).end()));
    await using storage = await FakeServer.start(sendManifest);
    await using server = await FakeServer.start(
      asking((_, response) => void response.writeHead(307, { location: `http://${storage.host}/m` }).end()),
    );
    const passwords = new Map([
      [mirror.host, "for-mirror"],
      ["r.example.com", "for-registry"],
      [server.host, "for-server"],
    ]);
    const asked: string[] = [];
    using registry = clientOf(
      `server = "http://${server.host}"\nheader.x-secret = "server"\n[host."http://${mirror.host}"]\nheader.x-secret = "mirror"`,
      {
        credentials: (domain) => {
          asked.push(domain);
          return { username: "u", password: passwords.get(domain) ?? "" };
        },
      },
    );
    await registry.resolve(reference);
    const decoded = ({ seen }: FakeServer): (string | undefined)[] =>
      seen.map(({ authorization, secret }) => {
        const password = authorization && Buffer.from(authorization.replace("Basic ", ""), "base64").toString();
        return `${password} ${secret}`;
      });
    expect([...new Set(decoded(mirror))]).toEqual(["undefined mirror", "u:for-mirror mirror"]);
    expect([...new Set(decoded(server))]).toEqual(["undefined server", "u:for-server server"]);
    expect([...new Set(decoded(storage))]).toEqual(["undefined undefined"]);
    expect(asked).toEqual([mirror.host, server.host]);
  });

  test("asks only hosts that have the capability", async () => {
    await using puller = await FakeServer.start(sendManifest);
    await using resolver = await FakeServer.start(sendManifest);
    using registry = clientOf(
      `server = "http://${resolver.host}"\ncapabilities = ["resolve"]\n[host."http://${puller.host}"]\ncapabilities = ["pull"]`,
    );
    await registry.resolve(reference);
    await registry.fetchManifest(reference, manifestDescriptor);
    await registry.resolve(parseReference(`r.example.com/a/b@${manifestDescriptor.digest}`));
    expect([lines(resolver).length, lines(puller).length]).toEqual([1, 2]);
    await expect(registry.pushManifest(reference, manifestDescriptor, Buffer.from(manifestText))).rejects.toMatchObject(
      {
        code: "failed-precondition",
        message:
          'Cannot push "r.example.com/a/b:1": no host that is configured for r.example.com has the capability push',
      },
    );
  });

  test("uses the path as it is with override_path", async () => {
    await using server = await FakeServer.start(sendManifest);
    using registry = clientOf(`server = "http://${server.host}/team/api/"\noverride_path = true`);
    await registry.resolve(reference);
    expect(lines(server)).toEqual(["HEAD /team/api/a/b/manifests/1?ns=r.example.com"]);
  });

  test("does not log in where it is redirected to, whatever is asked for there", async () => {
    const asked: string[] = [];
    await using thief = await FakeServer.start((request, response) => {
      asked.push(`${request.path} ${request.authorization}`);
      const challenge = `Bearer realm="http://${thief.host}/token"`;
      response.writeHead(401, { "www-authenticate": challenge }).end('{"token":"x"}');
    });
    await using server = await FakeServer.start(
      (_, response) => void response.writeHead(307, { location: `http://${thief.host}/blob` }).end(),
    );
    using registry = new Registry({
      retry,
      hostsDirectories: [],
      credentials: () => ({ username: "u", password: "w" }),
    });
    const own = parseReference(`${server.host}/a:1`);
    await expect(gather(registry.fetchBlob(own, layer))).rejects.toMatchObject({ code: "unavailable" });
    expect(new Set(asked)).toEqual(new Set(["/blob undefined"]));
  });
});
