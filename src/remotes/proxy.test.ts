import { createServer, request } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { mediaTypes, parseReference } from "#spec";
import { manifestDescriptor, sendManifest, FakeServer, descriptorOf } from "./fake-registry.ts";
import { proxyFor } from "./proxy.ts";
import { Registry } from "./registry.ts";

afterEach(() => void vi.unstubAllEnvs());

test.each<[string, Record<string, string>, string | undefined]>([
  ["https://r.example.com/", { HTTPS_PROXY: "http://p:3128" }, "http://p:3128"],
  ["https://r.example.com/", { HTTPS_PROXY: "http://p:3128", https_proxy: "q" }, "http://q"],
  ["https://r.example.com/", { HTTP_PROXY: "http://p" }, undefined],
  ["http://r.example.com/", { HTTP_PROXY: "http://u:w@p" }, "http://u:w@p"],
  ["http://127.0.0.1:5000/", { HTTP_PROXY: "http://p" }, undefined],
  ["http://r.example.com/", { HTTP_PROXY: "p", NO_PROXY: "*" }, undefined],
  ["http://r.example.com/", { HTTP_PROXY: "p", NO_PROXY: "other, example.com" }, undefined],
  ["http://r.example.com/", { HTTP_PROXY: "p", NO_PROXY: ".example.com" }, undefined],
  ["http://r.example.com/", { HTTP_PROXY: "p", NO_PROXY: "*.example.com" }, undefined],
  ["http://example.com/", { HTTP_PROXY: "p", NO_PROXY: ".example.com" }, "http://p"],
  ["http://badexample.com/", { HTTP_PROXY: "p", NO_PROXY: "example.com,,xample.com" }, "http://p"],
  ["http://r.example.com:5000/", { HTTP_PROXY: "p", NO_PROXY: "r.example.com:5000" }, undefined],
  ["http://r.example.com/", { HTTP_PROXY: "p", NO_PROXY: "r.example.com:5000" }, "http://p"],
  ["http://10.1.2.3/", { HTTP_PROXY: "p", NO_PROXY: "10.0.0.0/8" }, undefined],
  ["http://11.1.2.3/", { HTTP_PROXY: "p", NO_PROXY: "10.0.0.0/8,10.0.0.0/99,x/8" }, "http://p"],
  ["http://[fd00::5]:5000/", { HTTP_PROXY: "p", NO_PROXY: "fd00::/8" }, undefined],
  ["http://[fd00::5]:5000/", { HTTP_PROXY: "p", NO_PROXY: "[fd00::5]:5000" }, undefined],
  ["http://[fd00::5]/", { HTTP_PROXY: "p", NO_PROXY: "fd00::5" }, undefined],
])("proxyFor(%s) with %j is %s", (url, environment, expected) => {
  expect(proxyFor(new URL(url), environment)).toBe(expected);
});

test("Registry goes through a proxy that wants a password, with CONNECT for TLS", async () => {
  const seen: string[] = [];
  await using server = await FakeServer.start(sendManifest);
  const proxy = createServer((incoming, outgoing) => {
    seen.push(`${incoming.method} ${incoming.url} ${incoming.headers["proxy-authorization"]}`);
    const target = new URL(incoming.url ?? "");
    const { method, headers } = incoming;
    const asked = request(`http://${server.host}${target.pathname}`, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(asked);
  });
  proxy.on("connect", (incoming, socket) => {
    seen.push(`CONNECT ${incoming.url} ${incoming.headers["proxy-authorization"]}`);
    if (incoming.url?.startsWith("denied") === true) return void socket.end("HTTP/1.1 407 No\r\n\r\n");
    const [host, port] = server.host.split(":");
    const upstream = connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      socket.pipe(upstream).pipe(socket);
    });
    socket.on("error", () => upstream.destroy());
    return upstream.on("error", () => socket.destroy());
  });
  await new Promise<void>((resolve) => void proxy.listen(0, "127.0.0.1", resolve));
  const address = `http://anna:a%20secret@127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  vi.stubEnv("HTTP_PROXY", address);
  vi.stubEnv("HTTPS_PROXY", address);
  vi.stubEnv("http_proxy", undefined);
  vi.stubEnv("https_proxy", undefined);
  vi.stubEnv("NO_PROXY", "");
  try {
    using registry = new Registry({ retry: { attempts: 1 }, hostsDirectories: [], insecure: ["plain.example.com:80"] });
    // Nothing behind the proxy speaks TLS, so that this one is asked again in plain http.
    expect(await registry.resolve(parseReference("plain.example.com:80/a:1"))).toEqual(manifestDescriptor);
    await expect(registry.resolve(parseReference("denied.example.com/a:1"))).rejects.toMatchObject({
      code: "unavailable",
      message: 'Cannot pull "denied.example.com/a:1": the proxy makes no connection to denied.example.com (status 407)',
    });
    const basic = `Basic ${Buffer.from("anna:a secret").toString("base64")}`;
    expect(seen).toEqual([
      `CONNECT plain.example.com:80 ${basic}`,
      `HEAD http://plain.example.com/v2/a/manifests/1 ${basic}`,
      `CONNECT denied.example.com:443 ${basic}`,
    ]);
    // The proxy's password is for the proxy.
    expect(server.seen.map(({ authorization }) => authorization)).not.toContain(basic);
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
});

test("Registry sends no more requests at once than it may", async () => {
  let [now, most] = [0, 0];
  const bytes = Buffer.alloc(200_000, "x");
  await using server = await FakeServer.start((_, response) => {
    now += 1;
    most = Math.max(most, now);
    setTimeout(() => {
      response.writeHead(200, { "content-length": bytes.length }).end(bytes);
      now -= 1;
    }, 5);
  });
  using registry = new Registry({ hostsDirectories: [], connections: 2 });
  const layer = descriptorOf(bytes, mediaTypes.ociLayerGzip);
  const read = async (): Promise<number> => {
    let size = 0;
    for await (const chunk of registry.fetchBlob(parseReference(`${server.host}/a:1`), layer)) size += chunk.length;
    return size;
  };
  expect(await Promise.all(Array.from({ length: 8 }, read))).toEqual(Array.from({ length: 8 }).fill(bytes.length));
  expect(most).toBe(2);
  expect(server.seen).toHaveLength(8);
});
