import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseReference } from "#spec";
import { parseChallenges } from "./challenge.ts";
import { dockerCredentials, type CredentialSource } from "./credentials.ts";
import { endpointsOf } from "./endpoint.ts";
import { FakeServer, manifestDescriptor, sendManifest, type Seen } from "./fake-registry.ts";
import { Registry } from "./registry.ts";

const retry = { attempts: 2, delay: 1, maxDelay: 50 };

/** A token server and a registry that takes its tokens. */
async function startWithTokens(grant: (request: Seen) => { status: number; body: unknown }): Promise<{
  readonly tokens: FakeServer;
  readonly server: FakeServer;
}> {
  const tokens = await FakeServer.start((request, response) => {
    const { status, body } = grant(request);
    response.writeHead(status).end(JSON.stringify(body));
  });
  const server = await FakeServer.start((request, response) => {
    if (request.authorization === "Bearer good") return sendManifest(request, response);
    const challenge = `Bearer realm="http://${tokens.host}/token",service="reg",scope="repository:a/b:pull"`;
    return void response.writeHead(401, { "www-authenticate": challenge }).end();
  });
  return { tokens, server };
}

const resolve = async (server: FakeServer, credentials?: CredentialSource) => {
  using registry = new Registry({ retry, ...(credentials && { credentials }) });
  return await registry.resolve(parseReference(`${server.host}/a/b`));
};

describe("bearer tokens", () => {
  test("are asked for once for a repository, anonymously", async () => {
    const { tokens, server } = await startWithTokens(() => ({ status: 200, body: { token: "good", expires_in: 300 } }));
    await using _tokens = tokens;
    await using _server = server;
    using registry = new Registry({ retry });
    const reference = parseReference(`${server.host}/a/b`);
    expect(await registry.resolve(reference)).toEqual(manifestDescriptor);
    expect(await registry.resolve(reference)).toEqual(manifestDescriptor);
    expect(tokens.seen).toEqual([
      {
        method: "GET",
        path: "/token?service=reg&scope=repository%3Aa%2Fb%3Apull",
        authorization: undefined,
        range: undefined,
        body: "",
      },
    ]);
    expect(server.seen.map(({ authorization }) => authorization)).toEqual([undefined, "Bearer good", "Bearer good"]);
  });

  test("are asked for with the user's name and password", async () => {
    const { tokens, server } = await startWithTokens(({ authorization }) =>
      authorization === "Basic dTpw" ? { status: 200, body: { access_token: "good" } } : { status: 401, body: {} },
    );
    await using _tokens = tokens;
    await using _server = server;
    expect(await resolve(server, () => ({ username: "u", password: "p" }))).toEqual(manifestDescriptor);
    await expect(resolve(server, () => ({ username: "u", password: "x" }))).rejects.toMatchObject({
      code: "permission-denied",
      message: `Cannot log in to "${server.host}": token server ${tokens.host} refuses the user name or password`,
    });
  });

  test("are asked for with a refresh token by POST", async () => {
    const { tokens, server } = await startWithTokens(() => ({ status: 200, body: { access_token: "good" } }));
    await using _tokens = tokens;
    await using _server = server;
    expect(await resolve(server, () => ({ identityToken: "refresh" }))).toEqual(manifestDescriptor);
    expect(tokens.seen.map(({ method, body }) => [method, body])).toEqual([
      [
        "POST",
        "grant_type=refresh_token&service=reg&scope=repository%3Aa%2Fb%3Apull&client_id=sampan&refresh_token=refresh",
      ],
    ]);
  });

  test("that the registry refuses are a denial, not a loop", async () => {
    const { tokens, server } = await startWithTokens(() => ({ status: 200, body: { token: "bad" } }));
    await using _tokens = tokens;
    await using _server = server;
    await expect(resolve(server)).rejects.toMatchObject({ code: "permission-denied", fields: { status: 401 } });
    expect(server.seen.length).toBeLessThan(5);
  });

  test.each([{ token: "a\r\nb: c" }, { token: 5 }, {}, null])("that are no tokens are refused: %j", async (body) => {
    const { tokens, server } = await startWithTokens(() => ({ status: 200, body }));
    await using _tokens = tokens;
    await using _server = server;
    await expect(resolve(server)).rejects.toMatchObject({
      code: "unavailable",
      message: `Cannot log in to "${server.host}": token server ${tokens.host} gives no usable token`,
    });
  });

  test("are asked for again when they ran out", async () => {
    let valid = "one";
    await using tokens = await FakeServer.start((_, response) => void response.end(JSON.stringify({ token: valid })));
    await using server = await FakeServer.start((request, response) => {
      if (request.authorization === `Bearer ${valid}`) return sendManifest(request, response);
      const challenge = `Bearer realm="http://${tokens.host}/"`;
      return void response.writeHead(401, { "www-authenticate": challenge }).end();
    });
    using registry = new Registry({ retry });
    await registry.resolve(parseReference(`${server.host}/a`));
    valid = "two";
    expect(await registry.resolve(parseReference(`${server.host}/a`))).toEqual(manifestDescriptor);
  });
});

test("basic authentication sends credentials only when asked to", async () => {
  await using server = await FakeServer.start((request, response) => {
    if (request.authorization === "Basic dTpw") return sendManifest(request, response);
    return void response.writeHead(401, { "www-authenticate": "Basic realm=x" }).end();
  });
  expect(await resolve(server, () => ({ username: "u", password: "p" }))).toEqual(manifestDescriptor);
  expect(server.seen.map(({ authorization }) => authorization)).toEqual([undefined, "Basic dTpw"]);
  await expect(resolve(server)).rejects.toMatchObject({
    code: "permission-denied",
    message: `Cannot pull "${server.host}/a/b:latest": http://${server.host} wants a login`,
  });
  await expect(resolve(server, () => ({ username: "u", password: "x" }))).rejects.toMatchObject({
    code: "permission-denied",
  });
});

test.each([
  ["", []],
  ["Basic", [["basic", {}]]],
  ['Bearer realm="https://a/t",service=s', [["bearer", { realm: "https://a/t", service: "s" }]]],
  [
    'Basic realm="a, \\"b\\"", Bearer Realm="c" , scope="x,y"',
    [
      ["basic", { realm: 'a, "b"' }],
      ["bearer", { realm: "c", scope: "x,y" }],
    ],
  ],
  [
    "Negotiate dG9rZW4=, Basic realm=x",
    [
      ["negotiate", {}],
      ["basic", { realm: "x" }],
    ],
  ],
  ['Bearer realm="unterminated', [["bearer", {}]]],
])("parseChallenges() reads %j", (header, expected) => {
  const found = parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
  expect(found).toEqual(expected);
});

test("dockerCredentials() reads auths of a Docker configuration", async () => {
  const directory = mkdtempSync(join(tmpdir(), "sampan-credentials-"));
  const path = join(directory, "config.json");
  const source = dockerCredentials(path);
  expect(await source("example.com")).toBeUndefined();
  writeFileSync(
    path,
    JSON.stringify({
      auths: {
        "https://index.docker.io/v1/": { auth: Buffer.from("hub:pass:word").toString("base64") },
        "example.com:5000": { username: "u", password: "p" },
        "token.example": { auth: "", identitytoken: "t" },
        __proto__: {},
      },
    }),
  );
  expect(await source("docker.io")).toEqual({ username: "hub", password: "pass:word" });
  expect(await source("example.com:5000")).toEqual({ username: "u", password: "p" });
  expect(await source("token.example")).toEqual({ identityToken: "t" });
  expect(await source("constructor")).toBeUndefined();
  writeFileSync(path, '{"auths":{"a":{"auth":"!!"}}}');
  await expect(source("a")).rejects.toMatchObject({
    code: "invalid-argument",
    message: `Cannot read credentials from "${path}": auths["a"].auth is not base64 of user:password`,
  });
  rmSync(directory, { recursive: true });
});

test.each([
  ["docker.io", [["https://registry-1.docker.io", true]]],
  ["example.com", [["https://example.com", true]]],
  ["localhost:5000", [["http://localhost:5000", false]]],
  ["127.9.9.9", [["http://127.9.9.9", false]]],
  ["[::1]:5000", [["http://[::1]:5000", false]]],
  ["127.0.0.1:443", [["https://127.0.0.1:443", false]]],
  ["127.0.0.1.example.com", [["https://127.0.0.1.example.com", true]]],
  [
    "insecure.example",
    [
      ["https://insecure.example", false],
      ["http://insecure.example", false],
    ],
  ],
])("endpointsOf() finds %s", (domain, expected) => {
  const endpoints = endpointsOf(domain, new Set(["insecure.example"]));
  expect(endpoints.map(({ origin, verify }) => [origin, verify])).toEqual(expected);
});
