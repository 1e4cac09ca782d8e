import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FaultProxy, type Fault } from "../support/fault-proxy.ts";
import { HostFaultProxy } from "../support/host-fault-proxy.ts";
import { mustHere } from "../support/process.ts";
import { Registry } from "../support/registry.ts";
import { TestHost } from "../support/testhost.ts";

let directory = "";
let image = "";
beforeAll(async () => {
  directory = await mkdtemp("/var/tmp/sampan-registry-"); /* hosts have their own /tmp */
  await mustHere(["umoci", "init", "--layout", join(directory, "layout")]);
  await mustHere(["umoci", "new", "--image", join(directory, "layout:empty")]);
  image = `oci:${join(directory, "layout:empty")}`;
});
afterAll(async () => await rm(directory, { recursive: true }));

describe("Registry", () => {
  it("start() serves images that push() copied, until it is disposed", async () => {
    const registry = await Registry.start();
    await registry.push(image, "library/empty:1");
    const tags = `http://${registry.address}/v2/library/empty/tags/list`;
    expect(await (await fetch(tags)).json()).toStrictEqual({ name: "library/empty", tags: ["1"] });
    await registry[Symbol.asyncDispose]();
    await expect(fetch(tags)).rejects.toThrow("fetch failed");
  });

  it("start() with users asks for their passwords", async () => {
    await using registry = await Registry.start({ users: { anna: "a secret", ben: "another" } });
    await registry.push(image, "empty:1");
    const get = async (credentials: string): Promise<number> => {
      const headers = { authorization: `Basic ${Buffer.from(credentials).toString("base64")}` };
      return (await fetch(`http://${registry.address}/v2/empty/tags/list`, { headers })).status;
    };
    expect([await get("anna:a secret"), await get("ben:another"), await get("ben:a secret")]).toStrictEqual([
      200, 200, 401,
    ]);
  });

  it("start() in a host serves there only, with a fault proxy before it", async () => {
    await using host = await TestHost.create();
    await using registry = await Registry.start({ host });
    await registry.push(image, "empty:1");
    await using proxy = await HostFaultProxy.start(host, registry.address, [
      { path: "/manifests/", fault: { kind: "status", status: 503 } },
    ]);
    const inspect = ["skopeo", "--insecure-policy", "inspect", "--raw", "--tls-verify=false"];
    expect((await host.run([...inspect, `docker://${proxy.address}/empty:1`])).stderr).toContain("503");
    await proxy.setRules([]);
    expect(await host.must([...inspect, `docker://${proxy.address}/empty:1`])).toContain("schemaVersion");
    expect(proxy.requests.map(({ path, status }) => `${status} ${path}`)).toStrictEqual([
      "200 /v2/",
      "503 /v2/empty/manifests/1",
    ]);
    await expect(fetch(`http://${registry.address}/v2/`)).rejects.toThrow("fetch failed");
  });
});

describe("FaultProxy", () => {
  const body = "0123456789".repeat(10);
  let upstream = "";
  const server = createServer((_, outgoing) => outgoing.setHeader("X-Server", "real").end(body));
  beforeAll(async () => {
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address !== null && typeof address === "object") upstream = `127.0.0.1:${address.port}`;
  });
  afterAll(() => void server.close());

  /** Status and body of a request through a proxy with one fault, or the error's code. */
  const get = async (fault: Fault): Promise<string> => {
    await using proxy = await FaultProxy.start(upstream, [{ fault }]);
    try {
      const answer = await fetch(`http://${proxy.address}/x`, { signal: AbortSignal.timeout(1000) });
      return `${answer.status} ${answer.headers.get("x-server")} ${await answer.text()}`;
    } catch (error) {
      const { name, cause } = error as Error & { cause?: { code?: string } };
      return cause?.code ?? name;
    }
  };

  it("applies each fault", async () => {
    expect({
      drop: await get({ kind: "drop" }),
      truncate: await get({ kind: "truncate", after: 20 }),
      stall: await get({ kind: "stall", after: 20 }),
      delay: await get({ kind: "delay", milliseconds: 1500 }),
      corrupt: await get({ kind: "corrupt", offset: 3 }),
      status: await get({ kind: "status", status: 429, headers: { "x-server": "none" }, body: "slow down" }),
      short: await get({ kind: "length", by: -30 }),
      long: await get({ kind: "length", by: 30 }),
      headers: await get({ kind: "headers", headers: { "X-Server": "other" } }),
      endless: await get({ kind: "endless" }),
    }).toStrictEqual({
      drop: "UND_ERR_SOCKET",
      truncate: "UND_ERR_SOCKET",
      stall: "TimeoutError",
      delay: "TimeoutError",
      corrupt: `200 real 012\ufffd${body.slice(4)}`,
      status: "429 none slow down",
      short: `200 real ${body.slice(30)}`,
      long: "UND_ERR_SOCKET",
      headers: `200 other ${body}`,
      endless: "TimeoutError",
    });
  });

  it("applies a rule to matching requests only, after `skip` and up to `times`", async () => {
    await using proxy = await FaultProxy.start(upstream, [
      { path: "^/a", method: "GET", skip: 1, times: 1, fault: { kind: "status", status: 500 } },
    ]);
    const statuses: number[] = [];
    for (const path of ["a", "b", "a", "a"]) statuses.push((await fetch(`http://${proxy.address}/${path}`)).status);
    expect(statuses).toStrictEqual([200, 200, 500, 200]);
    expect(proxy.requests.map(({ status }) => status)).toStrictEqual(statuses);
  });
});
