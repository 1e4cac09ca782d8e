import { describe, expect, it } from "vitest";
import { parseRuntimeConfig, type ProcessConfig } from "#spec";
import { planContainer } from "#plan";
import { hostV2 as testFacts } from "../../plan/testing/samples.ts";
import { readDuration } from "./duration.ts";
import { exampleConfig } from "./example-config.ts";
import { readExecProcess } from "./exec-process.ts";
import { initialGlobals, parseGlobals } from "./globals.ts";
import { logLine } from "./log.ts";
import { readRdtUpdate, readUpdate } from "./update-resources.ts";

describe("parseGlobals()", () => {
  it("reads what runc's callers give, up to the command", () => {
    const found = { globals: initialGlobals };
    const words = [
      "--root",
      "/r",
      "--log=/l",
      "--log-format",
      "json",
      "--debug",
      "--systemd-cgroup=false",
      "create",
      "--bundle",
      "b",
    ];
    expect(parseGlobals(words, found)).toEqual({
      globals: { root: "/r", log: "/l", logFormat: "json", debug: true, systemdCgroup: false },
      request: { kind: "command", words: ["create", "--bundle", "b"] },
    });
  });

  it("keeps what it has read when a later word is wrong", () => {
    const found = { globals: initialGlobals };
    expect(() => parseGlobals(["--log", "/l", "--paint", "create"], found)).toThrow(
      expect.objectContaining({
        code: "invalid-argument",
        message: 'Cannot parse "--paint": sampan-oci has no such option',
      }),
    );
    expect(found.globals.log).toBe("/l");
  });

  it.each([
    [["--log"], 'Cannot parse "--log": it needs a value'],
    [["--log-format", "xml"], 'Cannot parse --log-format "xml": it is text or json'],
    [["--debug=maybe"], 'Cannot parse "--debug=maybe": --debug takes true or false'],
    [["--rootless", "true"], "Cannot run rootless: it is not supported yet"],
  ])("refuses %j", (words, message) => {
    expect(() => parseGlobals(words, { globals: initialGlobals })).toThrow(message);
  });
});

describe("logLine()", () => {
  const time = new Date("2026-01-02T03:04:05.678Z");

  it("writes what logrus writes", () => {
    expect(logLine("json", "error", 'no "x"\n\tthere', time)).toBe(
      '{"level":"error","msg":"no \\"x\\" there","time":"2026-01-02T03:04:05Z"}',
    );
    expect(logLine("text", "warning", "a b", time)).toBe('time="2026-01-02T03:04:05Z" level=warning msg="a b"');
  });
});

describe("exampleConfig()", () => {
  it.each([undefined, { uid: 1000, gid: 1001 }])("is a config that can be read and planned (%j)", (user) => {
    const config = parseRuntimeConfig(exampleConfig(user));
    expect(config.process?.args).toEqual(["sh"]);
    expect(config.linux.namespaces.map(({ type }) => type)).toEqual(
      user === undefined
        ? ["pid", "network", "ipc", "uts", "mount", "cgroup"]
        : ["pid", "ipc", "uts", "mount", "cgroup", "user"],
    );
    const root = { kind: "bind", path: "/bundle/rootfs" } as const;
    const plan = planContainer(config, testFacts, { root, cgroupPath: "/x" });
    expect(plan.steps.at(-1)?.operation).toMatchObject({ op: "exec", arguments: ["sh"] });
  });
});

describe("readExecProcess()", () => {
  const base: ProcessConfig = {
    terminal: true,
    user: { uid: 1, gid: 2, additionalGids: [3] },
    args: ["main"],
    env: ["A=1"],
    cwd: "/srv",
    capabilities: { bounding: ["CAP_KILL"], effective: [], inheritable: [], permitted: ["CAP_KILL"], ambient: [] },
    rlimits: [],
    noNewPrivileges: true,
  };
  const none = { env: [], "additional-gids": [], cap: [], cgroup: [] } as never;

  it("takes the container's own process with another command, and without its terminal", () => {
    expect(readExecProcess(none, ["ls", "-l"], base)).toEqual({
      ...base,
      terminal: false,
      consoleSize: undefined,
      args: ["ls", "-l"],
    });
  });

  it("adds variables, groups and capabilities, but none to the inheritable and ambient sets", () => {
    const values = {
      env: ["B=2"],
      "additional-gids": ["4"],
      cap: ["net_raw"],
      cgroup: [],
      user: "7",
      cwd: "/x",
      tty: true,
    };
    expect(readExecProcess(values as never, ["ls"], base)).toEqual({
      ...base,
      consoleSize: undefined,
      args: ["ls"],
      env: ["A=1", "B=2"],
      cwd: "/x",
      user: { uid: 7, gid: 2, additionalGids: [3, 4] },
      capabilities: {
        bounding: ["CAP_KILL", "CAP_NET_RAW"],
        effective: ["CAP_NET_RAW"],
        inheritable: [],
        permitted: ["CAP_KILL", "CAP_NET_RAW"],
        ambient: [],
      },
    });
  });

  it.each(["root", "", "1:", "-1", "4294967295", "1:2:3"])("refuses user %j", (user) => {
    const values = { env: [], "additional-gids": [], cap: [], cgroup: [], user };
    expect(() => readExecProcess(values as never, ["ls"], base)).toThrow("it is no user or group number");
  });

  it("needs a command or a file, and not both", () => {
    expect(() => readExecProcess(none, [], base)).toThrow("neither a command nor --process is given");
    expect(() => readExecProcess({ ...(none as object), process: "x" } as never, ["ls"], base)).toThrow(
      "--process names one",
    );
  });
});

describe("readDuration()", () => {
  it("reads Go's durations as milliseconds", () => {
    expect(["5s", "500ms", "1m30s", "1.5h"].map(readDuration)).toEqual([5000, 500, 90_000, 5_400_000]);
  });

  it.each(["", "5", "s", "5 s", "-1s", "0s", "5d"])("refuses %j", (text) => {
    expect(() => readDuration(text)).toThrow(`Cannot parse --interval "${text}": it is no duration like 5s`);
  });
});

describe("readUpdate()", () => {
  const none = {} as never;
  const warnings: string[] = [];
  const warn = (text: string): void => void warnings.push(text);

  it("makes resources of options, with sizes in bytes", () => {
    const values = {
      memory: "512m",
      "memory-swap": "-1",
      "cpu-quota": "20000",
      "pids-limit": "0",
      "cpuset-cpus": "0-1",
    };
    const resources = readUpdate(values as never, warn);
    expect(resources.memory).toMatchObject({ limit: 536_870_912n, swap: -1n, reservation: undefined });
    expect(resources.cpu).toMatchObject({ quota: 20_000n, cpus: "0-1", shares: undefined });
    expect(resources.pids).toEqual({ limit: 0n });
    expect(readUpdate(none, warn)).toMatchObject({ memory: undefined, cpu: undefined, pids: undefined });
  });

  it.each([
    [{ memory: "lots" }, 'Cannot parse --memory "lots": it is no size like 512m or 1g'],
    [{ "cpu-quota": "1.5" }, 'Cannot parse --cpu-quota "1.5": it is no integer'],
    [{ "pids-limit": "9999999999999999999" }, "resources.pids.limit"],
    [{ resources: "/no/such/file" }, 'Cannot read "/no/such/file": no such file or directory'],
  ])("names what is wrong in %j", (values, message) => {
    expect(() => readUpdate(values as never, warn)).toThrow(message);
  });

  it("reads schemata of Intel RDT apart, by the rules of a config", () => {
    expect(readRdtUpdate({ "l3-cache-schema": "L3:0=f", "mem-bw-schema": "MB:0=20" } as never)).toEqual({
      l3CacheSchema: "L3:0=f",
      memBwSchema: "MB:0=20",
    });
    expect(readRdtUpdate(none)).toEqual({ l3CacheSchema: undefined, memBwSchema: undefined });
    expect(() => readRdtUpdate({ "mem-bw-schema": "L3:0=f" } as never)).toThrow(
      "intelRdt.memBwSchema must start with MB:",
    );
    expect(() => readRdtUpdate({ "l3-cache-schema": "a\nb" } as never)).toThrow(
      "intelRdt.l3CacheSchema must be one line",
    );
  });

  it("tells that kernel memory limits are gone", () => {
    readUpdate({ "kernel-memory": "1m" } as never, warn);
    expect(warnings).toEqual(["--kernel-memory is obsolete and does nothing"]);
  });
});
