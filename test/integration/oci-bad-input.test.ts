/** Mistakes that `sampan-oci` is given: each gets one line that names the place and the rule, and leaves nothing. */
import { existsSync, readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OciHost, type BundleConfig } from "../support/oci-host.ts";

let host: OciHost;
beforeAll(async () => {
  host = await OciHost.create();
});
afterAll(async () => await host[Symbol.asyncDispose]());

/** What is left of a container that could not be made. */
function leftovers(name: string): string[] {
  const cgroups = readdirSync("/sys/fs/cgroup").filter((c) =>
    existsSync(`/sys/fs/cgroup/${c}${host.host.cgroupParent}/${name}`),
  );
  return [...cgroups, ...(existsSync(join(host.state, name)) ? ["state"] : [])];
}

/** The log quotes its messages. */
const words = (log: string): string => log.replaceAll('\\"', '"');

const mistakes: readonly (readonly [name: string, change: (c: BundleConfig) => void, message: RegExp])[] = [
  ["wrong type", (c) => (c.process.cwd = 7 as never), /process\.cwd must be a string/],
  [
    "unknown namespace",
    (c) => c.linux.namespaces.push({ type: "paint" }),
    /linux\.namespaces\[\d\]\.type must be one of/,
  ],
  [
    "namespace twice",
    (c) => c.linux.namespaces.push({ type: "pid" }),
    /linux\.namespaces\[\d\]\.type must not name pid/,
  ],
  [
    "namespace path relative",
    (c) => (c.linux.namespaces[0] = { type: "pid", path: "x" }),
    /namespaces\[0\]\.path must be an absolute path/,
  ],
  [
    "namespace path of another type",
    (c) => (c.linux.namespaces[0] = { type: "pid", path: "/proc/self/ns/net" }),
    /join the namespace "\/proc\/self\/ns\/net"/,
  ],
  ["relative cwd", (c) => (c.process.cwd = "tmp"), /process\.cwd must be an absolute path/],
  ["no arguments", (c) => (c.process.args = []), /process\.args/],
  ["no version", (c) => (c["ociVersion"] = undefined), /ociVersion must be a string/],
  ["version 2", (c) => (c["ociVersion"] = "2.0.0"), /ociVersion must be a version 1/],
  ["no root", (c) => (c.root = undefined as never), /root must be an object/],
  [
    "root that is not there",
    (c) => (c.root.path = "/no/such/root"),
    /Cannot use root "\/no\/such\/root": no such file or directory/,
  ],
  ["root of the host", (c) => (c.root.path = "/"), /root\.path must not be "\/"/],
  [
    "rlimit twice",
    (c) => (c.process["rlimits"] = [1, 2].map(() => ({ type: "RLIMIT_CORE", soft: 0, hard: 0 }))),
    /process\.rlimits\[1\]\.type/,
  ],
  ["unknown rlimit", (c) => (c.process["rlimits"] = [{ type: "RLIMIT_PAINT", soft: 0, hard: 0 }]), /RLIMIT_PAINT/],
  ["soft above hard", (c) => (c.process["rlimits"] = [{ type: "RLIMIT_CORE", soft: 2, hard: 1 }]), /rlimits\[0\]/],
  ["sysctl of the host", (c) => (c.linux["sysctl"] = { "kernel.panic": "1" }), /kernel\.panic/],
  [
    "network sysctl without a network namespace",
    (c) => {
      c.linux.namespaces = c.linux.namespaces.filter(({ type }) => type !== "network");
      c.linux["sysctl"] = { "net.ipv4.ip_forward": "1" };
    },
    /net\.ipv4\.ip_forward/,
  ],
  [
    "id map overlap",
    (c) => {
      c.linux.namespaces.push({ type: "user" });
      c.linux["uidMappings"] = [
        { containerID: 0, hostID: 1000, size: 10 },
        { containerID: 5, hostID: 5000, size: 10 },
      ];
      c.linux["gidMappings"] = [{ containerID: 0, hostID: 1000, size: 10 }];
    },
    /uid/i,
  ],
  ["hook that is not there", (c) => (c.hooks = { createRuntime: [{ path: "/no/such/hook" }] }), /\/no\/such\/hook/],
  [
    "hook with a relative path",
    (c) => (c.hooks = { prestart: [{ path: "hook" }] }),
    /hooks\.prestart\[0\]\.path must be an absolute path/,
  ],
  [
    "mount over the root by dots",
    (c) => c.mounts.push({ destination: "/a/../..", type: "tmpfs", source: "tmpfs" }),
    /Cannot mount/,
  ],
  [
    "mount of nothing",
    (c) => c.mounts.push({ destination: "/a", type: "bind", source: "/no/such", options: ["bind"] }),
    /\/no\/such/,
  ],
  ["unknown filesystem", (c) => c.mounts.push({ destination: "/tmp", type: "paintfs", source: "x" }), /paintfs/],
  [
    "seccomp action",
    (c) => (c.linux["seccomp"] = { defaultAction: "SCMP_ACT_PAINT" }),
    /linux\.seccomp\.defaultAction/,
  ],
  ["cgroup path that climbs to the top", (c) => (c.linux.cgroupsPath = "/a/../.."), /cgroup "\/a\/\.\.\/\.\."/],
  ["command that is not there", (c) => (c.process.args = ["nosuch"]), /executable file not found in \$PATH/],
  [
    "hostname of the host",
    (c) => (c.linux.namespaces = c.linux.namespaces.filter(({ type }) => type !== "uts")),
    /uts namespace/,
  ],
];

describe("sampan-oci create", () => {
  it.each(mistakes)("%s: says what and where, and leaves nothing", async (name, change, message) => {
    const id = name.replaceAll(" ", "-");
    const bundle = await host.bundle(id, (c) => {
      c.root.readonly = false;
      change(c);
    });
    const { code, stderr } = await host.detached(["create", "--bundle", bundle, id]);
    expect(words(stderr)).toMatch(message);
    expect({ code, lines: stderr.trim().split("\n").length }).toEqual({ code: 1, lines: 1 });
    expect(leftovers(id)).toEqual([]);
  });

  it("a config that is too large, too deep or no JSON is refused at once", async () => {
    const bundle = await host.bundle("text");
    const texts: readonly (readonly [string, RegExp])[] = [
      [`{"ociVersion": "${"1".repeat(10 * 1024 * 1024)}"}`, /larger than/],
      [`${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}`, /must be an object|no JSON|deep/],
      [`{"ociVersion":"1.0.0","linux":${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}}`, /./],
      ["{", /it is no JSON/],
      ["", /it is no JSON/],
      ["null", /must be an object/],
    ];
    for (const [text, message] of texts) {
      await writeFile(join(bundle, "config.json"), text);
      const { code, stderr } = await host.oci(["create", "--bundle", bundle, "text"]);
      expect(code).toBe(1);
      expect(words(stderr)).toMatch(message);
      expect(stderr.length).toBeLessThan(1000);
      expect(leftovers("text")).toEqual([]);
    }
  });

  it.each(["", ".", "..", "a/b", "../up", "a b", "a\nb", "é", "x".repeat(300)])("id %j is refused", async (id) => {
    const bundle = await host.bundle("ids");
    const { code, stderr } = await host.oci(["create", "--bundle", bundle, id]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/container id/);
  });

  it("wrong words on the command line are named", async () => {
    const lines: readonly (readonly [string[], RegExp])[] = [
      [["paint"], /no such command/],
      [["craete", "x"], /Did you mean sampan-oci create/],
      [["create"], /it takes CONTAINER/],
      [["create", "--bundel", "x", "y"], /Did you mean --bundle/],
      [["--log-format", "xml", "list"], /text or json/],
      [["kill", "x", "SIGPAINT"], /no such signal/],
      [["exec", "nosuch", "true"], /container does not exist/],
      [["start", "nosuch"], /container does not exist/],
      [["create", "--bundle", "/no/such", "x"], /Cannot use bundle "\/no\/such"/],
      [["spec", "--bundle", "/no/such"], /no such file or directory/],
    ];
    for (const [args, message] of lines) {
      const { code, stderr } = await host.oci(args);
      expect(code, args.join(" ")).toBeGreaterThan(0);
      expect(words(stderr)).toMatch(message);
    }
  });

  it("a terminal needs somebody who holds it", async () => {
    const bundle = await host.bundle("tty", (c) => (c.process.terminal = true));
    const { code, stderr } = await host.oci(["create", "--bundle", bundle, "tty"]);
    expect(code).toBe(1);
    expect(stderr).toContain("Cannot allocate tty");
    const socket = ["--console-socket", "/no/such/socket"];
    expect((await host.oci(["create", "--bundle", bundle, ...socket, "tty"])).stderr).toContain("/no/such/socket");
    expect(leftovers("tty")).toEqual([]);
  });
});
