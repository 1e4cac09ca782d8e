import { describe, expect, test } from "vitest";
import { mediaTypes, parseReference } from "#spec";
import { FakeServer, manifestDescriptor } from "./fake-registry.ts";
import { Registry } from "./registry.ts";

const retry = { attempts: 2, delay: 1, maxDelay: 10 };
const index = (...artifactTypes: readonly string[]): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: artifactTypes.map((artifactType) => ({ ...manifestDescriptor, artifactType })),
  });

describe("Registry.tags", () => {
  test("follows the pages, and sends credentials to no other host", async () => {
    await using other = await FakeServer.start((_, response) => response.writeHead(200).end('{"tags":["c"]}'));
    await using fake = await FakeServer.start(({ path, authorization }, response) => {
      if (authorization === undefined) response.writeHead(401, { "www-authenticate": "Basic realm=x" }).end();
      else if (path === "/v2/app/tags/list?n=1000")
        response.writeHead(200, { link: '</v2/app/tags/list?last=a>; rel="next"' }).end('{"tags":["a"]}');
      else response.writeHead(200, { link: `<http://${other.host}/x>; rel="next"` }).end('{"tags":["b"]}');
    });
    using registry = new Registry({ retry, credentials: () => ({ username: "u", password: "p" }) });
    expect(await registry.tags(parseReference(`${fake.host}/app`))).toEqual(["a", "b", "c"]);
    expect(other.seen).toMatchObject([{ path: "/x", authorization: undefined }]);
  });

  test.each([
    [404, "{}", "not-found"],
    [200, "[", "data-loss"],
    [200, '{"tags":["a\\u001b[2J"]}', "data-loss"],
    [200, '{"tags":{}}', "data-loss"],
    [403, "{}", "permission-denied"],
  ])("fails with status %i and %s", async (status, body, code) => {
    await using fake = await FakeServer.start((_, response) => response.writeHead(status).end(body));
    using registry = new Registry({ retry });
    await expect(registry.tags(parseReference(`${fake.host}/app`))).rejects.toMatchObject({ code });
  });
});

describe("Registry.referrers", () => {
  const { digest } = manifestDescriptor;

  test("asks the registry, and filters where that does not", async () => {
    await using fake = await FakeServer.start((_, response) => response.writeHead(200).end(index("a/x", "a/y")));
    using registry = new Registry({ retry });
    const reference = parseReference(`${fake.host}/app@${digest}`);
    expect((await registry.referrers(reference, digest)).map(({ artifactType }) => artifactType)).toEqual([
      "a/x",
      "a/y",
    ]);
    expect(await registry.referrers(reference, digest, { artifactType: "a/y" })).toMatchObject([
      { artifactType: "a/y" },
    ]);
    expect(fake.seen.map(({ path }) => path)).toEqual([
      `/v2/app/referrers/${digest}`,
      `/v2/app/referrers/${digest}?artifactType=a%2Fy`,
    ]);
  });

  test("reads the tag of older registries, and finds none where that is missing", async () => {
    let has = true;
    await using fake = await FakeServer.start(({ path }, response) => {
      if (has && path.includes("/manifests/sha256-")) response.writeHead(200).end(index("a/x"));
      else response.writeHead(404).end();
    });
    using registry = new Registry({ retry });
    const reference = parseReference(`${fake.host}/app@${digest}`);
    expect(await registry.referrers(reference, digest)).toHaveLength(1);
    has = false;
    expect(await registry.referrers(reference, digest)).toEqual([]);
  });
});
