/**
 * Bad input: each gives one line on stderr that says what and why (and what to do), the right exit code, and leaves the
 * host as it was: no mount, cgroup, interface, process or file.
 */
import { readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FaultRule } from "../support/fault-proxy.ts";
import { HostFaultProxy } from "../support/host-fault-proxy.ts";
import { testImage } from "../support/images.ts";
import type { CommandResult } from "../support/process.ts";
import { Registry } from "../support/registry.ts";
import { expectUnchanged, HostState, type HostSnapshot } from "../support/snapshot-host.ts";
import { eventually, StockedHost } from "../support/stocked-host.ts";

let stocked: StockedHost;
let before: HostSnapshot;
/** Directories that are made once and are empty, databases, and caches that may be deleted at any time. */
const ignore = [/^root\/metadata\.db/, /^root\/cache(\/|$)/, /^root\/volumes$/, /^state\/(containers|root)$/];
beforeAll(async () => {
  stocked = await StockedHost.create(["busybox"]);
  await stocked.registry.push(await testImage("layers"), "layers:1");
  await stocked.mustShell([], "true");
  before = await HostState.capture(stocked.host, { ignore });
});
afterAll(async () => await stocked[Symbol.asyncDispose]());

const unchanged = async (): Promise<void> => expectUnchanged(before, await HostState.capture(stocked.host, { ignore }));

/** Asserts the exit code, that stdout is empty, and that stderr is, but for progress, one line with all of the texts. */
function expectRefusal({ code, stdout, stderr }: CommandResult, expected: number, ...texts: readonly string[]): void {
  const message = stderr.replaceAll(/^(Pulling |[0-9a-f]{12}: ).*\n/gm, "");
  expect({ code, stdout, lines: message.split("\n").length, stderr: message }).toStrictEqual({
    code: expected,
    stdout: "",
    lines: 2,
    stderr: expect.stringMatching(/^sampan: Cannot .+: .+\n$/) as string,
  });
  for (const text of texts) expect(stderr).toContain(text);
}

const run = async (flags: readonly string[], command: readonly string[] = ["true"]): Promise<CommandResult> =>
  await stocked.host.sampan(["run", "--rm", ...flags, stocked.image("busybox"), ...command]);

describe("flags and values", () => {
  const flags: readonly (readonly [flags: readonly string[], ...texts: string[]])[] = [
    [["--no-such-flag"], "--no-such-flag", "no such option"],
    [["--memroy", "1g"], "--memroy", "Did you mean --memory"],
    [["--memory", "4k"], "4k", "at least 512k"],
    [["--memory", "lots"], "lots", "it is not a size"],
    [["--memory", "-1"], "-1", "it is not a size"],
    [["--memory-swap", "1g"], "--memory must be set too"],
    [["--memory", "64m", "--memory-swap", "32m"], "32m", "below --memory"],
    [["--cpus", "many"], "many", "number of processors"],
    [["--cpus", "0.001"], "0.001", "0.01"],
    [["--cpu-shares", "999999"], "999999", "262144"],
    [["--cpuset-cpus", "first"], "first", "0-2,4"],
    [["--cpuset-cpus", "999"], "999", "no such processor"],
    [["--pids-limit", "some"], "some", "whole number"],
    [["--ulimit", "nosuch=1"], "NOSUCH", "no such resource"],
    [["--ulimit", "nofile"], "nofile", "NAME=VALUE"],
    [["--ulimit", "nofile=5:3"], "nofile=5:3", "above"],
    [["--sysctl", "vm.swappiness=1"], "vm.swappiness", "would change the host"],
    [["--sysctl", "net.no.such=1"], "net/no/such", "no such parameter"],
    [["--sysctl", "net.core.somaxconn=abc"], "abc", "does not take this value"],
    [["--sysctl", "net.core.somaxconn"], "NAME=VALUE"],
    [["--network", "nosuch"], "nosuch", "sampan network ls"],
    [["--network", "none", "--network", "bridge"], "none", "goes with no other"],
    [["--network", "name=bridge,ip=10.88.0.9,colour=red"], "colour", "mac-address"],
    [["--network", "none", "-p", "80"], "publish", "--network none"],
    [["-p", "80:90:x"], "80:90:x", "ADDRESS"],
    [["--ip", "10.99.0.1"], "10.99.0.1", "10.88.0.0/16"],
    [["--mac-address", "nonsense"], "nonsense", "six bytes"],
    [["--add-host", "x:y"], "x:y", "host-gateway"],
    [["--dns", "resolver"], "resolver", "no address"],
    [["--network", "container:nosuch"], "nosuch", "sampan ps -a"],
    [["--network", "host", "--sysctl", "net.ipv4.ip_forward=1"], "net.ipv4.ip_forward"],
    [["-v", "/no/such/path:/x"], "/no/such/path", "no such file", "Make it first"],
    [["-v", "bad name:/x"], "bad name", "absolute path"],
    [["-v", "/tmp:relative"], "relative", "absolute path"],
    [["-v", "/tmp:/"], '"/"', "below /"],
    [["-v", "/tmp:/etc/passwd"], "/etc/passwd", "A directory can be bound on a directory only"],
    [["-v", "/tmp:/x:sometimes"], "sometimes", "ro, rw"],
    [["-v", "/tmp:/x", "-v", "/run:/x"], "/x", "two mounts"],
    [["--mount", "type=nfs,dst=/x"], "bind, volume, tmpfs or image"],
    [["--mount", "type=bind,dst=/x"], "src is missing"],
    [["--tmpfs", "/x:bogus"], "/x", "bogus"],
    [["--tmpfs", "/x:size=abc"], "/x", "size"],
    [["--device", "/dev/no-such-device"], "/dev/no-such-device", "the host has none"],
    [["--device", "/etc/passwd"], "/etc/passwd"],
    [["--cap-add", "NO_SUCH"], "CAP_NO_SUCH", "capabilities(7)"],
    [["--security-opt", "nosuch"], "nosuch", "seccomp"],
    [["--security-opt", "seccomp=/etc/passwd"], "/etc/passwd", "not JSON"],
    [["--security-opt", "seccomp=/no/such/file"], "/no/such/file", "no such file"],
    [["--env-file", "/no/such/file"], "/no/such/file", "no such file"],
    [["-e", "=value"], "=value", "empty"],
    [["--hostname", "two words"], "two words", "letters, digits"],
    [["--hostname", "one\n127.0.0.1 two"], "letters, digits"],
    [["--hostname", "x".repeat(65)], "xxx", "64"],
    [["--name", "-x"], '"-x"', "2 to 128"],
    [["-w", "relative"], "relative", "absolute"],
    [["-w", "/etc/passwd"], "/etc/passwd", "not a directory"],
    [["--shm-size", "big"], "big", "size"],
    [["--stop-signal", "NOPE"], "NOPE", "signal(7)"],
    [["--platform", "bogus"], "bogus", "linux/amd64"],
    [["--pull", "sometimes"], "sometimes", "missing, always or never"],
    [["-u", "nosuch"], "nosuch", "/etc/passwd", "numeric id"],
    [["-u", "app:nosuch"], "nosuch", "/etc/group", "numeric id"],
    [["--group-add", "nosuch"], "nosuch", "/etc/group"],
    [["-i", "-t"], "-t", "not a terminal"],
  ];
  for (const [given, ...texts] of flags)
    it(`run ${JSON.stringify(given)} is refused with 125`, async () => expectRefusal(await run(given), 125, ...texts));

  const commands: readonly (readonly [args: readonly string[], code: number, ...texts: string[]])[] = [
    [["no-such-command"], 1, "no-such-command", "sampan --help"],
    [["imgaes"], 1, "Did you mean sampan images"],
    [["--nonsense"], 1, "--nonsense"],
    [["run"], 125, "IMAGE"],
    [["run", "--memory"], 125, "--memory", "needs a value"],
    [["exec", "no-such-container", "true"], 125, "no-such-container", "sampan ps -a"],
    [["pull"], 1, "IMAGE"],
    [["pull", "Upper Case"], 1, "Upper Case", "lower case"],
    [["rmi", "nosuch"], 1, "nosuch", "not on this machine"],
    [["inspect", "--type", "container", "nosuch"], 1, "nosuch"],
    [["ps", "--format", "{{.ID"], 1, "{{.ID"],
    [["logs", "--tail", "x", "nosuch"], 1, "--tail"],
    [["logs", "--since", "yesterday", "nosuch"], 1, "yesterday", "10m"],
    [["stop", "-t", "x", "nosuch"], 1, "--time"],
    ...["start", "stop", "kill", "wait", "rm", "logs", "attach"].map(
      (name) => [[name, "nosuch"], 1, 'container "nosuch"', "sampan ps -a"] as const,
    ),
  ];
  for (const [args, code, ...texts] of commands)
    it(`${JSON.stringify(args)} is refused with ${code}`, async () => {
      const result = await stocked.host.sampan(args);
      expectRefusal(result.stdout === "[]\n" ? { ...result, stdout: "" } : result, code, ...texts);
    });

  it("all of this leaves the host as it was", unchanged);
});

describe("commands", () => {
  it("run gives 127 for a command that is not there, 126 for one that can't be run, and leaves nothing", async () => {
    expectRefusal(await run([], ["no-such-command"]), 127, "no-such-command", "in its PATH");
    expectRefusal(await run([], ["/no/such"]), 127, "/no/such");
    expectRefusal(await run([], ["/etc/passwd"]), 126, "/etc/passwd", "permission denied", "may execute");
    expectRefusal(await run(["-u", "app"], ["/root/x"]), 126, "/root/x", "permission denied");
    await writeFile(join(stocked.host.files, "garbage"), "\x7fELF garbage", { mode: 0o755 });
    expectRefusal(await run(["-v", `${stocked.host.files}/garbage:/garbage`], ["/garbage"]), 126, "exec format error");
    expectRefusal(await run(["-d"], ["no-such-command"]), 127, "no-such-command");
    await unchanged();
  });
});

describe("registries", () => {
  const pull = async (reference: string, ...flags: readonly string[]): Promise<CommandResult> =>
    await stocked.host.sampan(["pull", ...flags, reference]);

  it("pull says which image, tag, platform or digest is not there", async () => {
    const { address } = stocked.registry;
    const digest = `sha256:${"0".repeat(64)}`;
    expectRefusal(await pull(`${address}/no/such:1`), 1, "no/such:1");
    expectRefusal(await pull(`${address}/busybox:other`), 1, 'tag "other"');
    expectRefusal(await pull(`${address}/busybox@${digest}`), 1, digest);
    expectRefusal(await pull(`${address}/busybox:1`, "--platform", "linux/s390x"), 1, "linux/s390x", "linux/amd64");
    expectRefusal(await pull("127.0.0.1:1/x:1"), 1, "127.0.0.1:1 refuses connections");
    await unchanged();
  });

  /** Path of a stored blob of `layers` that is a layer: the largest that is there but once. */
  const layer = async (registry: Registry): Promise<string> => {
    const blobs = join(registry.storage, "docker/registry/v2/blobs/sha256");
    const found: { path: string; size: number }[] = [];
    for (const entry of await readdir(blobs, { recursive: true }))
      if (entry.endsWith("/data"))
        found.push({ path: join(blobs, entry), size: (await readFile(join(blobs, entry))).length });
    return found.toSorted((a, b) => b.size - a.size)[0]?.path ?? "";
  };

  /** A root directory of its own, so that nothing of an earlier pull is there. */
  async function withRoot(action: (env: { readonly SAMPAN_ROOT: string }) => Promise<void>): Promise<void> {
    const env = { SAMPAN_ROOT: join(stocked.host.files, "empty-root") };
    await action(env);
    await stocked.host.must(["rm", "-rf", env.SAMPAN_ROOT]);
  }

  /** Asserts that there is no image in a root, no layer, and no blob either but those `kept` for the next try. */
  async function expectNothing(env: { readonly SAMPAN_ROOT: string }, kept: boolean): Promise<void> {
    expect((await stocked.host.sampan(["images", "-q"], { env })).stdout).toBe("");
    const found = await stocked.host.must(
      ["find", ".", "-mindepth", "3", "(", "-type", "f", "-o", "-path", "./snapshots/*", ")"],
      {
        cwd: env.SAMPAN_ROOT,
      },
    );
    const left = found.split("\n").filter((path) => path !== "" && !(kept && path.startsWith("./content/")));
    expect(left).toStrictEqual([]);
  }

  it("pull refuses a truncated and a corrupt layer, and takes it once it is whole", async () => {
    await using registry = await Registry.start({ host: stocked.host });
    await registry.push(await testImage("layers"), "damaged:1");
    const path = await layer(registry);
    const bytes = await readFile(path);
    const digest = /sha256\/..\/(\w+)\/data$/.exec(path)?.[1] ?? "none";
    const image = `${registry.address}/damaged:1`;
    await withRoot(async (env) => {
      await truncate(path, bytes.length >> 1);
      expectRefusal(await stocked.host.sampan(["pull", image], { env }), 1, digest, "must have");
      await expectNothing(env, false);
      const corrupt = Buffer.from(bytes);
      corrupt.writeUInt8(corrupt.readUInt8(corrupt.length >> 1) ^ 0xff, corrupt.length >> 1);
      await writeFile(path, corrupt);
      expectRefusal(await stocked.host.sampan(["pull", image], { env }), 1, digest);
      await expectNothing(env, false);
      await writeFile(path, bytes);
      expect((await stocked.host.sampan(["pull", image], { env, timeout: 120_000 })).code).toBe(0);
    });
  });

  const faults: readonly (readonly [what: string, text: string, kept: boolean, rules: readonly FaultRule[]])[] = [
    [
      "breaks off each time",
      "closed the connection",
      true,
      [{ path: "/blobs/", fault: { kind: "truncate", after: 100 } }],
    ],
    ["drops connections", "closed the connection", true, [{ fault: { kind: "drop" } }]],
    ["answers 503 to manifests", "503", true, [{ path: "/manifests/", fault: { kind: "status", status: 503 } }]],
    ["sends other bytes", "sha256:", false, [{ path: "/blobs/", fault: { kind: "corrupt", offset: 40 } }]],
    [
      "sends other bytes in layers",
      "sha256:",
      false,
      [{ path: "/blobs/", skip: 1, fault: { kind: "corrupt", offset: 40 } }],
    ],
    [
      "sends other manifests",
      "sha256:",
      false,
      [{ path: "/manifests/", method: "GET", fault: { kind: "corrupt", offset: 40 } }],
    ],
    ["sends too much", "more than its", false, [{ path: "/blobs/", fault: { kind: "endless" } }]],
    ["announces another length", "must have", false, [{ path: "/blobs/", fault: { kind: "length", by: -1 } }]],
  ];
  for (const [what, text, kept, rules] of faults)
    it(`pull from a registry that ${what} fails and leaves nothing but what the next try can use`, async () => {
      await using proxy = await HostFaultProxy.start(stocked.host, stocked.registry.address, rules);
      await withRoot(async (env) => {
        const image = `${proxy.address}/layers:1`;
        expectRefusal(await stocked.host.sampan(["pull", image], { env }), 1, text);
        await expectNothing(env, kept);
        await proxy.setRules([]);
        expect((await stocked.host.sampan(["pull", image], { env })).code).toBe(0);
      });
    });

  it("pull goes on where the network broke off", async () => {
    const rules: readonly FaultRule[] = [
      { path: "/blobs/", skip: 1, times: 6, fault: { kind: "truncate", after: 700_000 } },
    ];
    await using proxy = await HostFaultProxy.start(stocked.host, stocked.registry.address, rules);
    await withRoot(async (env) => {
      expect((await stocked.host.sampan(["pull", `${proxy.address}/layers:1`], { env })).code).toBe(0);
    });
    await proxy.setRules([]);
    const ranges = proxy.requests.map(({ headers }) => headers.range).filter((range) => range !== undefined);
    expect(ranges).toContainEqual(expect.stringMatching(/^bytes=\d{5,}-$/));
  });

  it("pull from a registry that goes half-way fails and leaves no image", async () => {
    const registry = await Registry.start({ host: stocked.host });
    await registry.push(await testImage("layers"), "layers:1");
    await using proxy = await HostFaultProxy.start(stocked.host, registry.address, [
      { path: "/blobs/", skip: 1, fault: { kind: "delay", milliseconds: 3000 } },
    ]);
    await withRoot(async (env) => {
      const pulling = stocked.host.sampan(["pull", `${proxy.address}/layers:1`], { env });
      await eventually("a request of a layer", async () => {
        await proxy.setRules([{ path: "/blobs/", skip: 1, fault: { kind: "delay", milliseconds: 3000 } }]);
        return proxy.requests.some(({ path }) => path.includes("/blobs/"));
      });
      await registry[Symbol.asyncDispose]();
      expectRefusal(await pulling, 1, "layers:1");
      await expectNothing(env, true);
    });
    await proxy[Symbol.asyncDispose]();
    await unchanged();
  });
});

describe("disk full", () => {
  /** A root on a filesystem of this many kilobytes. */
  const small = async (name: string, kilobytes: number): Promise<string> => {
    const directory = join(stocked.host.files, name);
    await stocked.host.must(["mkdir", directory]);
    await stocked.host.must(["mount", "-n", "-t", "tmpfs", "-o", `size=${kilobytes}k`, "small", directory]);
    return directory;
  };

  it.each([300, 1500, 2600])(
    "pull onto a disk of %d kB fails with a remedy; the image is not half there",
    async (size) => {
      const root = await small(`disk-${size}`, size);
      const env = { SAMPAN_ROOT: root };
      const result = await stocked.host.sampan(["pull", stocked.image("busybox")], { env });
      expectRefusal(result, 1, "no space left on device", "Free some space");
      expect((await stocked.host.sampan(["images", "-q"], { env })).stdout).toBe("");
      const left = await stocked.host.must(["find", root, "-type", "f", "-size", "+64k", "!", "-name", "metadata.db*"]);
      expect(left).toBe("");
      await stocked.host.must(["umount", "-n", root]);
    },
  );

  it("a container on a full disk is told so, and goes", async () => {
    const root = await small("disk-running", 8000);
    const env = { SAMPAN_ROOT: root };
    await stocked.must(["pull", stocked.image("busybox")], { env });
    const script = "dd if=/dev/zero of=/big bs=1M count=20";
    const { code, stderr } = await stocked.shell([], script, { env });
    expect(code).toBe(1);
    expect(stderr).toContain("No space left on device");
    expect((await stocked.host.sampan(["ps", "-aq"], { env })).stdout).toBe("");
    await stocked.host.must(["umount", "-n", root]);
    await unchanged();
  });
});

describe("not root", () => {
  const program = join(import.meta.dirname, "../../sampan");
  const asNobody = async (...args: readonly string[]): Promise<CommandResult> =>
    await stocked.host.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", program, ...args]);

  it("run says that it needs root, and points to doctor", async () => {
    expectRefusal(await asNobody("run", "--rm", stocked.image("busybox"), "true"), 125, "root", "sampan doctor");
  });

  it("doctor explains it, with its remedy and a failing exit code", async () => {
    const { code, stdout } = await asNobody("doctor");
    expect(code).toBe(1);
    expect(stdout).toMatch(/root/);
    expect(stdout).toContain("sudo");
    expect((await stocked.host.sampan(["doctor"])).code).toBe(0);
  });
});
