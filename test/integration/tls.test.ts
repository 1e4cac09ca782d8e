/** Registries that speak TLS with an authority of their own, asked for clients' certificates, and reached by proxies. */
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Registry as Client, type RegistryOptions } from "#remotes";
import { parseReference } from "#spec";
import { Authority, type Pair } from "../support/certificates.ts";
import { testImage } from "../support/images.ts";
import { ImageRoot } from "../support/image-root.ts";
import { mustHere } from "../support/process.ts";
import { Registry } from "../support/registry.ts";

let directory: string;
let authority: Authority;
let client: Pair;
let secure: Registry;
let closed: Registry;
let raw: string;
beforeAll(async () => {
  directory = await mkdtemp("/var/tmp/sampan-tls-");
  authority = await Authority.create(join(directory, "authority"));
  const server = await authority.issue("server", "IP:127.0.0.1,DNS:registry.test");
  client = await authority.issue("client", "DNS:client");
  const certificates = join(directory, "skopeo");
  await mkdir(certificates);
  await copyFile(client.certFile, join(certificates, "client.cert"));
  await copyFile(client.keyFile, join(certificates, "client.key"));
  const image = await testImage("busybox");
  secure = await Registry.start({ tls: server });
  closed = await Registry.start({ tls: { ...server, clientAuthority: authority.cert }, certificates });
  for (const registry of [secure, closed]) await registry.push(image, "busybox:1", ["--preserve-digests"]);
  raw = await inspect(image);
});
afterAll(async () => {
  await secure[Symbol.asyncDispose]();
  await closed[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

const inspect = async (name: string): Promise<string> =>
  (await mustHere(["skopeo", "inspect", "--raw", "--tls-verify=false", name])).trim();

let counter = 0;
/** Options for a registry with these files in its directory. */
async function configured(domain: string, files: Readonly<Record<string, string>>): Promise<RegistryOptions> {
  counter += 1;
  const hosts = join(directory, `hosts-${counter}`);
  await mkdir(join(hosts, domain), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(hosts, domain, name), text);
  return { hostsDirectories: [hosts], retry: { attempts: 1 } };
}

/** The manifest's text as this client gets it. */
async function manifest(name: string, options: RegistryOptions): Promise<string> {
  using registry = new Client(options);
  const reference = parseReference(name);
  const { bytes } = await registry.fetchManifest(reference, await registry.resolve(reference));
  return Buffer.from(bytes).toString().trim();
}

describe("a registry that speaks TLS", () => {
  test("with an authority of its own is trusted by Docker's layout and by hosts.toml", async () => {
    const name = `${secure.address}/busybox:1`;
    expect(await manifest(name, await configured(secure.address, { "ca.crt": authority.cert }))).toBe(raw);
    const text = `server = "https://${secure.address}"\nca = "${authority.file}"`;
    await using root = await ImageRoot.create({ registry: await configured(secure.address, { "hosts.toml": text }) });
    const { chainId } = await root.images.pull(name);
    expect(await root.inside(chainId, "chroot $1 /bin/busybox id -u")).toBe("0");
    root.images.tag(name, `${secure.address}/pushed:1`);
    await root.images.push(`${secure.address}/pushed:1`);
    expect(await inspect(`docker://${secure.address}/pushed:1`)).toBe(raw);
  });

  test("with an unknown authority or another name is refused with a remedy, unless it is not verified", async () => {
    const name = `${secure.address}/busybox:1`;
    const config = async (text: string) => await configured(secure.address, { "hosts.toml": text });
    await expect(manifest(name, await config(`server = "https://${secure.address}"`))).rejects.toMatchObject({
      code: "unavailable",
      message: `Cannot pull "${name}": the certificate of ${secure.address} is by an authority that is not known here`,
      fields: { remedy: expect.stringContaining("ca.crt") },
    });
    const other = `localhost:${secure.port}`;
    const named = await configured(other, { "hosts.toml": `server = "https://${other}"\nca = "${authority.file}"` });
    await expect(manifest(`${other}/busybox:1`, named)).rejects.toMatchObject({
      message: `Cannot pull "${other}/busybox:1": the certificate of ${other} is for another host`,
    });
    expect(await manifest(name, await config(`server = "https://${secure.address}"\nskip_verify = true`))).toBe(raw);
  });

  test("that wants a client's certificate gets it, and no other host does", async () => {
    const name = `${closed.address}/busybox:1`;
    const files = { "ca.crt": authority.cert };
    await expect(manifest(name, await configured(closed.address, files))).rejects.toMatchObject({
      code: "unavailable",
      message: `Cannot pull "${name}": ${closed.address} wants a client's certificate, or another one`,
    });
    const withClient = { ...files, "client.cert": client.cert, "client.key": client.key };
    expect(await manifest(name, await configured(closed.address, withClient))).toBe(raw);
    const pair = `[host."https://${closed.address}"]\nca = ["${authority.file}"]\nclient = [["${client.certFile}", "${client.keyFile}"]]`;
    expect(
      await manifest(
        "registry.example.com/busybox:1",
        await configured("registry.example.com", { "hosts.toml": pair }),
      ),
    ).toBe(raw);
    const both = { "ca.crt": authority.cert, "client.cert": client.cert + client.key };
    expect(await manifest(name, await configured(closed.address, both))).toBe(raw);
  });

  test("is not asked in plain http, and one in plain http not by TLS", async () => {
    const plain = `http://${secure.address}`;
    await expect(
      manifest("r.example.com/busybox:1", await configured("r.example.com", { "hosts.toml": `server = "${plain}"` })),
    ).rejects.toMatchObject({
      message: `Cannot pull "r.example.com/busybox:1": ${secure.address} answers with status 400 (it speaks TLS, and was asked in plain http)`,
    });
    await using open = await Registry.start();
    const secured = `server = "https://${open.address}"`;
    await expect(
      manifest("r.example.com/busybox:1", await configured("r.example.com", { "hosts.toml": secured })),
    ).rejects.toMatchObject({
      message: `Cannot pull "r.example.com/busybox:1": ${open.address} does not speak TLS`,
      fields: { remedy: expect.stringContaining("http://") },
    });
  });

  test("trusts the machine's authorities too", async () => {
    const before = process.env["SSL_CERT_FILE"];
    process.env["SSL_CERT_FILE"] = authority.file;
    try {
      const name = `${secure.address}/busybox:1`;
      const options = await configured(secure.address, { "hosts.toml": `server = "https://${secure.address}"` });
      const script = `
        import { Registry } from "#remotes";
        import { parseReference } from "#spec";
        using registry = new Registry(${JSON.stringify(options)});
        console.log((await registry.resolve(parseReference(${JSON.stringify(name)}))).digest);`;
      const file = join(process.cwd(), "build", `tls-${process.pid}.ts`);
      await writeFile(file, script);
      try {
        expect(await mustHere([process.execPath, file])).toMatch(/^sha256:/);
      } finally {
        await rm(file);
      }
    } finally {
      if (before === undefined) delete process.env["SSL_CERT_FILE"];
      else process.env["SSL_CERT_FILE"] = before;
    }
  });
});
