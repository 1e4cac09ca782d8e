import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parseDuration } from "./duration.ts";
import { registryHosts } from "./endpoint.ts";
import { hostsDirectories, readHosts } from "./hosts-directory.ts";
import { parseHostsFile } from "./hosts-file.ts";

const root = mkdtempSync(join(tmpdir(), "sampan-hosts-"));
afterAll(() => rmSync(root, { recursive: true }));

/** A directory of registries' directories, of the files given by their paths. */
function directoryOf(name: string, files: Readonly<Record<string, string>>): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, name, dirname(path)), { recursive: true });
    writeFileSync(join(root, name, path), text);
  }
  return join(root, name);
}

const all = ["pull", "resolve", "push", "referrers"];
const plain = {
  capabilities: undefined,
  ca: [],
  client: [],
  skipVerify: undefined,
  headers: new Map(),
  dialTimeout: undefined,
};

describe("parseHostsFile()", () => {
  test("reads all that containerd does, the tables in their order and the server last", () => {
    const text = `
      server = "https://registry-1.docker.io"
      skip_verify = false

      [host."https://mirror.example.com:5000"]
      capabilities = ["pull", "Resolve"]
      ca = "ca.pem"
      client = ["/etc/both.pem", ["client.cert", "client.key"]]
      dial_timeout = "1m1.5s"
        [host."https://mirror.example.com:5000".header]
        x-one = "1"
        X-Many = ["1", "2"]

      [host."http://cache"]
      ca = ["a.pem", "b.pem"]
      client = "both.pem"
      skip_verify = true

      [host."quay.example.com/proxy/docker"]
      override_path = true

      [host."quay.example.com/proxy/v2"]
    `;
    expect(parseHostsFile(text, "hosts.toml")).toEqual([
      {
        origin: { scheme: "https", host: "mirror.example.com:5000", path: "/v2" },
        capabilities: new Set(["pull", "resolve"]),
        ca: ["ca.pem"],
        client: [
          { cert: "/etc/both.pem", key: undefined },
          { cert: "client.cert", key: "client.key" },
        ],
        skipVerify: undefined,
        headers: new Map([
          ["x-one", ["1"]],
          ["X-Many", ["1", "2"]],
        ]),
        dialTimeout: 61_500,
      },
      {
        ...plain,
        origin: { scheme: "http", host: "cache", path: "/v2" },
        ca: ["a.pem", "b.pem"],
        client: [{ cert: "both.pem", key: undefined }],
        skipVerify: true,
      },
      { ...plain, origin: { scheme: "https", host: "quay.example.com", path: "/proxy/docker" } },
      { ...plain, origin: { scheme: "https", host: "quay.example.com", path: "/proxy/v2" } },
      { ...plain, origin: { scheme: "https", host: "registry-1.docker.io", path: "/v2" }, skipVerify: false },
    ]);
    expect(parseHostsFile("", "hosts.toml")).toEqual([{ ...plain, origin: undefined }]);
  });

  test.each([
    ['server = "a"\nx = ', "line 2: "],
    ['server = "a"\nserver = "b"', "line 2: "],
    ["server = 1", "line 1: server must be a string"],
    ['\nservers = "a"', "line 2: servers is no key of this file"],
    ["host = 1", "line 1: host must be a table for each host"],
    ["[[host]]", "line 1: host must be a table for each host"],
    ["[host]\na = 1", "line 2: host.a must be a table"],
    ['[host."a"]\ncapabilities = ["pull"]\ncapability = ["x"]', "line 3: host.a.capability is no key of a host"],
    [
      '[host."a.b"]\ncapabilities = ["pull", "write"]',
      'line 2: host."a.b".capabilities has "write", must be of pull, resolve, push and referrers',
    ],
    ['[host."a"]\n\nca = 1', "line 3: host.a.ca must be a string or a list of strings"],
    ['[host."a"]\nca = [""]', "line 2: host.a.ca must be a string or a list of strings"],
    [
      '[host."a"]\nclient = [["a", "b", "c"]]',
      "line 2: host.a.client must be a file, a list of files, or a list of pairs of certificate and key",
    ],
    ['[host."a"]\nskip_verify = "yes"', "line 2: host.a.skip_verify must be true or false"],
    ['[host."a"]\noverride_path = 1', "line 2: host.a.override_path must be true or false"],
    ['[host."a"]\ndial_timeout = "soon"', 'line 2: host.a.dial_timeout is "soon", must be a duration like "5s"'],
    ['[host."a"]\ndial_timeout = "0s"', 'line 2: host.a.dial_timeout is "0s", must be a duration like "5s"'],
    ['[host."a"]\ndial_timeout = 5', 'line 2: host.a.dial_timeout must be a duration like "5s"'],
    ['[host."ftp://a b"]', 'line 1: host."ftp://a b" is no address like https://mirror.example.com:5000'],
    [
      '[host."https://u:p@a"]',
      'line 1: host."https://u:p@a" has a password in its address: log in to the host, or set a header',
    ],
    ['[host."a"]\nheader = 1', "line 2: host.a.header must be a table"],
    ['[host.a.header]\n"x y" = "1"', 'line 2: host.a.header."x y" is no name of a header'],
    ['[host.a.header]\nHost = "b"', "line 2: host.a.header.Host can't be set"],
    ['[host.a.header]\nx = "a\\r\\nb: c"', "line 2: host.a.header.x has characters that no header may have"],
    ['[host."__proto__"]\nca = 1', "line 2: host.__proto__.ca must be a string or a list of strings"],
    [
      Array.from({ length: 101 }, (_, i) => `[host."h${i}"]`).join("\n"),
      "line 1: host has 101 hosts, at most 100 are allowed",
    ],
    [`${"a".repeat(100_000)}\n`, "line "],
    [`${"[".repeat(100_000)}\n`, "line "],
    [`x = ${"[".repeat(100_000)}\n`, "line "],
  ])("refuses %j, and says where", (text, state) => {
    let failure: unknown;
    try {
      parseHostsFile(text, "/etc/x/hosts.toml");
    } catch (error) {
      failure = error;
    }
    expect(failure).toMatchObject({ code: "invalid-argument" });
    const prefix = `Cannot read "/etc/x/hosts.toml": ${state}`;
    expect((failure as Error).message.slice(0, prefix.length)).toBe(prefix);
  });
});

test("parseDuration() reads Go's durations", () => {
  expect(["10s", "1m30s", "1.5h", "300ms", "2us", ".5s"].map(parseDuration)).toEqual([
    10_000, 90_000, 5_400_000, 300, 0.002, 500,
  ]);
  expect(["", "10", "s", "1 s", "-1s", "1d"].map(parseDuration)).toEqual(Array.from({ length: 6 }).fill(undefined));
});

describe("readHosts()", () => {
  const server = (host: string): string => `server = "https://${host}"`;
  const hostOf = async (domain: string, ...directories: string[]): Promise<string | undefined> =>
    (await readHosts(domain, directories))?.at(-1)?.origin?.host;

  test("prefers host_port_, host:port and _default in this order, and a registry's own of any directory", async () => {
    const one = directoryOf("one", {
      "reg.example.com_5000_/hosts.toml": server("underscores"),
      "reg.example.com:5000/hosts.toml": server("colon"),
      "reg.example.com/hosts.toml": server("name"),
      "_default/hosts.toml": server("default-one"),
    });
    const two = directoryOf("two", {
      "other:5000/hosts.toml": server("other"),
      "_default/hosts.toml": server("default-two"),
    });
    expect([
      await hostOf("reg.example.com:5000", one, two),
      await hostOf("reg.example.com", one, two),
      await hostOf("other:5000", one, two),
      await hostOf("unknown", one, two),
      await hostOf("unknown", two, one),
      await hostOf("unknown", join(root, "missing")),
      await hostOf("..", one),
    ]).toEqual(["underscores", "name", "other", "default-one", "default-two", undefined, undefined]);
  });

  test("names the file that can't be used", async () => {
    const directory = directoryOf("broken", {
      "a/hosts.toml": 'ca = "missing.pem"',
      "b/hosts.toml": 'ca = "/dev/zero"',
      "c/ca.crt": "no certificate",
      "d/ca.crt": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
      "e/client.cert": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
      "f/hosts.toml": "x".repeat(1024 * 1024 + 1),
      "g/hosts.toml/x": "",
    });
    const messages = await Promise.all(
      ["a", "b", "c", "d", "e", "f", "g"].map(
        async (domain) => await readHosts(domain, [directory]).catch((error: Error) => error.message),
      ),
    );
    expect(messages).toEqual([
      `Cannot read "${directory}/a/missing.pem": it does not exist`,
      'Cannot read "/dev/zero": it is no file',
      `Cannot read "${directory}/c/ca.crt": it has no certificate in PEM`,
      `Cannot read "${directory}/d/ca.crt": its certificate number 1 is damaged`,
      `Cannot read "${directory}/e/client.cert": it has no private key, and there is no "${directory}/e/client.key"`,
      `Cannot read "${directory}/f/hosts.toml": it has 1048577 bytes, at most 1048576 are allowed`,
      `Cannot read "${directory}/g/hosts.toml": it is no file`,
    ]);
  });

  test("looks where SAMPAN_HOSTS_DIR says, or in the usual places", () => {
    expect(hostsDirectories({ SAMPAN_HOSTS_DIR: "/a:/b" })).toEqual(["/a", "/b"]);
    expect(hostsDirectories({})).toEqual(["/etc/sampan/certs.d", "/etc/containerd/certs.d", "/etc/docker/certs.d"]);
  });
});

describe("registryHosts()", () => {
  const hostsOf = (domain: string, text: string, insecure: string[] = []) =>
    registryHosts(
      domain,
      parseHostsFile(text, "hosts.toml").map(({ ca, client, ...entry }) => ({
        ...entry,
        trust: ca.length + client.length === 0 ? undefined : { ca, client: [] },
      })),
      new Set(insecure),
    ).map(({ endpoints, domain: credentials, mirrorOf, capabilities }) => ({
      endpoints: endpoints.map(({ origin, path, verify }) => `${origin}${path} ${verify}`),
      credentials,
      mirrorOf,
      capabilities: [...capabilities],
    }));

  test("has the registry itself last, whose server may be elsewhere", () => {
    expect(hostsOf("docker.io", '[host."https://cache.example.com"]\ncapabilities = ["pull"]')).toEqual([
      {
        endpoints: ["https://cache.example.com/v2 true"],
        credentials: "cache.example.com",
        mirrorOf: "docker.io",
        capabilities: ["pull"],
      },
      {
        endpoints: ["https://registry-1.docker.io/v2 true"],
        credentials: "docker.io",
        mirrorOf: undefined,
        capabilities: all,
      },
    ]);
    expect(hostsOf("docker.io", 'server = "https://registry-1.docker.io"')[0]).toMatchObject({
      credentials: "docker.io",
      mirrorOf: undefined,
    });
    expect(hostsOf("quay.io", 'server = "https://registry-1.docker.io"')[0]).toMatchObject({
      credentials: "docker.io",
      mirrorOf: "quay.io",
    });
  });

  test.each<[string, string, readonly string[], readonly string[]]>([
    ["r.example.com", 'ca = "x"', [], ["https://r.example.com/v2 true"]],
    ["r.example.com", "skip_verify = true", [], ["https://r.example.com/v2 false"]],
    ["r.example.com", "", ["r.example.com"], ["https://r.example.com/v2 false", "http://r.example.com/v2 false"]],
    [
      "r.example.com",
      "skip_verify = false",
      ["r.example.com"],
      ["https://r.example.com/v2 true", "http://r.example.com/v2 false"],
    ],
    ["127.0.0.1:5000", "", [], ["http://127.0.0.1:5000/v2 false"]],
    ["127.0.0.1:5000", 'ca = "x"', [], ["https://127.0.0.1:5000/v2 true", "http://127.0.0.1:5000/v2 false"]],
    [
      "r.example.com",
      'server = "http://m:5000"\nskip_verify = true',
      [],
      ["https://m:5000/v2 false", "http://m:5000/v2 false"],
    ],
    ["r.example.com", 'server = "http://m"\nskip_verify = true', [], ["http://m/v2 false"]],
    ["r.example.com", 'server = "http://m:5000"', [], ["http://m:5000/v2 true"]],
  ])("reaches %s with %j and insecure %j at %j", (domain, text, insecure, endpoints) => {
    expect(hostsOf(domain, text, [...insecure]).at(-1)?.endpoints).toEqual(endpoints);
  });
});
