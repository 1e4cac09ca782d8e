import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSampanError } from "#errdefs";
import { parseJson, parseRuntimeConfig, parseRuntimeConfigText } from "./parse.ts";

const minimal = { ociVersion: "1.3.0" };
const config = (rest: object): object => ({ ...minimal, ...rest });
const process = (rest: object): object => config({ process: { cwd: "/", args: ["sh"], ...rest } });
const linux = (rest: object): object => config({ linux: rest });

describe("parseRuntimeConfig()", () => {
  it("reads a minimal config, with empty lists for missing ones", () => {
    expect(parseRuntimeConfig(minimal)).toEqual({
      ociVersion: "1.3.0",
      root: undefined,
      process: undefined,
      hostname: undefined,
      domainname: undefined,
      mounts: [],
      hooks: { prestart: [], createRuntime: [], createContainer: [], startContainer: [], poststart: [], poststop: [] },
      annotations: new Map(),
      linux: {
        namespaces: [],
        uidMappings: [],
        gidMappings: [],
        timeOffsets: new Map(),
        devices: [],
        resources: undefined,
        cgroupsPath: undefined,
        sysctl: new Map(),
        seccomp: undefined,
        maskedPaths: [],
        readonlyPaths: [],
        rootfsPropagation: undefined,
        mountLabel: undefined,
        netDevices: new Map(),
      },
    });
  });

  it("reads a process", () => {
    const user = { uid: 1, gid: 2, umask: 63, additionalGids: [3, 4], username: "ignored" };
    const parsed = parseRuntimeConfig(
      process({
        terminal: true,
        consoleSize: { width: 80, height: 24 },
        user,
        env: ["A=1"],
        capabilities: { bounding: ["CAP_KILL"] },
        rlimits: [{ type: "RLIMIT_CORE", soft: 0, hard: 18446744073709552000 }],
        noNewPrivileges: true,
        oomScoreAdj: -1000,
      }),
    );
    expect(parsed.process).toEqual({
      terminal: true,
      consoleSize: { width: 80, height: 24 },
      user: { uid: 1, gid: 2, umask: 63, additionalGids: [3, 4] },
      args: ["sh"],
      env: ["A=1"],
      cwd: "/",
      capabilities: { bounding: ["CAP_KILL"], effective: [], inheritable: [], permitted: [], ambient: [] },
      rlimits: [{ type: "RLIMIT_CORE", soft: 0n, hard: 0xffff_ffff_ffff_ffffn }],
      noNewPrivileges: true,
      oomScoreAdj: -1000,
      apparmorProfile: undefined,
      selinuxLabel: undefined,
    });
  });

  it("reads device rules as runc does: -1 and missing numbers are all, `u` is a character device", () => {
    const devices = [
      { allow: false, access: "rwm" },
      { allow: true, type: "u", major: 10, minor: -1, access: "wr" },
      { allow: true, type: "b", major: 8, minor: 1 },
    ];
    expect(parseRuntimeConfig(linux({ resources: { devices } })).linux.resources?.devices).toEqual([
      { allow: false, type: "a", major: undefined, minor: undefined, access: "rwm" },
      { allow: true, type: "c", major: 10, minor: undefined, access: "rw" },
      { allow: true, type: "b", major: 8, minor: 1, access: "rwm" },
    ]);
  });

  it("ignores unknown properties, and takes null for a missing one", () => {
    const parsed = parseRuntimeConfig(
      config({
        zos: {},
        process: { cwd: "/", args: [], ioPriority: null },
        linux: { intelRdt: null, fromTheFuture: 1 },
      }),
    );
    expect([parsed.process?.ioPriority, parsed.linux]).toEqual([undefined, parseRuntimeConfig(minimal).linux]);
  });

  it("keeps keys such as __proto__ as plain keys", () => {
    const parsed = parseRuntimeConfigText('{"ociVersion":"1.0.2","annotations":{"__proto__":"x","constructor":"y"}}');
    expect([...parsed.annotations]).toEqual([
      ["__proto__", "x"],
      ["constructor", "y"],
    ]);
  });

  const refusals: readonly (readonly [json: unknown, message: string])[] = [
    [null, "Cannot read config: it must be an object"],
    [[], "Cannot read config: it must be an object"],
    [{}, "Cannot read config: ociVersion must be a string"],
    [{ ociVersion: "2.0.0" }, "Cannot read config: ociVersion must be a version 1, not 2.0.0"],
    [process({ cwd: "data" }), "Cannot read config: process.cwd must be an absolute path"],
    [process({ args: ["a", 1] }), "Cannot read config: process.args[1] must be a string"],
    [process({ args: ["a\0b"] }), "Cannot read config: process.args[0] must not contain a NUL character"],
    [process({ user: { uid: -1 } }), "Cannot read config: process.user.uid must be an integer from 0 to 4294967295"],
    [
      process({ user: { uid: 4294967296 } }),
      "Cannot read config: process.user.uid must be an integer from 0 to 4294967295",
    ],
    [process({ user: { uid: 1.5 } }), "Cannot read config: process.user.uid must be an integer from 0 to 4294967295"],
    [
      process({
        rlimits: [
          { type: "A", soft: 1, hard: 1 },
          { type: "B", soft: 1, hard: 1 },
          { type: "C", soft: 1, hard: "x" },
        ],
      }),
      "Cannot read config: process.rlimits[2].hard must be an integer from 0 to 2^64-1",
    ],
    [
      process({ rlimits: [{ type: "A", soft: 2, hard: 1 }] }),
      "Cannot read config: process.rlimits[0].soft must not be above hard",
    ],
    [
      process({
        rlimits: [
          { type: "A", soft: 1, hard: 1 },
          { type: "A", soft: 1, hard: 1 },
        ],
      }),
      "Cannot read config: process.rlimits[1].type must not name A a second time",
    ],
    [
      process({ capabilities: { bounding: ["CAP_KILL", "KILL"] } }),
      "Cannot read config: process.capabilities.bounding[1] must be a name such as CAP_CHOWN",
    ],
    [
      process({ capabilities: { ambient: ["CAP_kill"] } }),
      "Cannot read config: process.capabilities.ambient[0] must be a name such as CAP_CHOWN",
    ],
    [process({ user: { umask: 0o1000 } }), "Cannot read config: process.user.umask must be an integer from 0 to 511"],
    [
      process({ consoleSize: { width: 80 } }),
      "Cannot read config: process.consoleSize.height must be an integer from 0 to 65535",
    ],
    [
      linux({ namespaces: [{ type: "net" }] }),
      "Cannot read config: linux.namespaces[0].type must be one of pid, network",
    ],
    [
      linux({ namespaces: [{ type: "pid" }, { type: "pid" }] }),
      "Cannot read config: linux.namespaces[1].type must not name pid",
    ],
    [
      linux({ namespaces: [{ type: "pid", path: "x" }] }),
      "Cannot read config: linux.namespaces[0].path must be an absolute path",
    ],
    [
      linux({ uidMappings: [{ containerID: 0, hostID: 4294967290, size: 10 }] }),
      "Cannot read config: linux.uidMappings[0] must end below id 2^32-1",
    ],
    [
      linux({ timeOffsets: { realtime: {} } }),
      'Cannot read config: linux.timeOffsets must name monotonic or boottime, not "realtime"',
    ],
    [
      linux({ devices: [{ path: "/dev/x", type: "c", major: 4096, minor: 0 }] }),
      "Cannot read config: linux.devices[0].major must be an integer from 0 to 4095",
    ],
    [
      linux({ resources: { devices: [{ allow: true, access: "rx" }] } }),
      "Cannot read config: linux.resources.devices[0].access must be some of the letters",
    ],
    [linux({ resources: { hugepageLimits: [{ pageSize: "../x", limit: 1 }] } }), "must be a size such as 2MB"],
    [
      linux({ seccomp: { defaultAction: "SCMP_ACT_MAYBE" } }),
      "Cannot read config: linux.seccomp.defaultAction must be one of SCMP_ACT_KILL",
    ],
    [
      linux({
        seccomp: {
          defaultAction: "SCMP_ACT_KILL",
          syscalls: [{ names: ["x"], action: "SCMP_ACT_ALLOW", args: [{ index: 6, value: 1, op: "SCMP_CMP_EQ" }] }],
        },
      }),
      "Cannot read config: linux.seccomp.syscalls[0].args[0].index must be an integer from 0 to 5",
    ],
    [
      linux({ seccomp: { defaultAction: "SCMP_ACT_KILL", architectures: ["SCMP_ARCH_X86", "SCMP_ARCH_VAX"] } }),
      "Cannot read config: linux.seccomp.architectures[1] must be one of SCMP_ARCH_X86, ",
    ],
    [
      linux({ seccomp: { defaultAction: "SCMP_ACT_KILL", flags: ["SECCOMP_FILTER_FLAG_NEW_LISTENER"] } }),
      "Cannot read config: linux.seccomp.flags[0] must be one of SECCOMP_FILTER_FLAG_TSYNC, ",
    ],
    [
      linux({ seccomp: { defaultAction: "SCMP_ACT_KILL", defaultErrnoRet: 1 } }),
      "Cannot read config: linux.seccomp.defaultErrnoRet must not be set, because SCMP_ACT_KILL has no errno",
    ],
    [
      linux({
        seccomp: {
          defaultAction: "SCMP_ACT_KILL",
          syscalls: [{ names: ["x"], action: "SCMP_ACT_ERRNO", errnoRet: 4096 }],
        },
      }),
      "Cannot read config: linux.seccomp.syscalls[0].errnoRet must be an integer from 0 to 4095",
    ],
    [
      linux({ seccomp: { defaultAction: "SCMP_ACT_TRACE", defaultErrnoRet: 65536 } }),
      "Cannot read config: linux.seccomp.defaultErrnoRet must be an integer from 0 to 65535",
    ],
    [
      linux({ seccomp: { defaultAction: "SCMP_ACT_KILL", listenerMetadata: "x" } }),
      "Cannot read config: linux.seccomp.listenerMetadata must not be set without listenerPath",
    ],
    [config({ mounts: [{ destination: "" }] }), "Cannot read config: mounts[0].destination must not be empty"],
    [
      config({ hooks: { poststop: [{ path: "x" }] } }),
      "Cannot read config: hooks.poststop[0].path must be an absolute path",
    ],
    [
      config({ hooks: { prestart: [{ path: "/x", timeout: 0 }] } }),
      "Cannot read config: hooks.prestart[0].timeout must be more than 0",
    ],
    [
      config({ mounts: Array.from({ length: 70_000 }, () => ({})) }),
      "Cannot read config: mounts must have at most 65536 items",
    ],
    [config({ hostname: "x".repeat(200_000) }), "Cannot read config: hostname must be at most 131072 characters long"],
  ];
  for (const [json, message] of refusals)
    it(`refuses with "${message}"`, () => {
      expect(() => parseRuntimeConfig(json)).toThrow(message);
    });

  it("returns or throws invalid-argument for any JSON", () => {
    const keys = fc.constantFrom(
      "process",
      "linux",
      "root",
      "mounts",
      "user",
      "args",
      "rlimits",
      "resources",
      "seccomp",
      "x",
    );
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue({ maxDepth: 1 }),
        fc.dictionary(keys, tie("value"), { maxKeys: 4 }),
      ),
    })).value;
    fc.assert(
      fc.property(fc.dictionary(keys, json, { maxKeys: 4 }), (rest) => {
        try {
          parseRuntimeConfig({ ...minimal, ...rest });
        } catch (error) {
          expect(isSampanError(error, "invalid-argument")).toBe(true);
        }
      }),
    );
  });
});

describe("parseJson()", () => {
  it("keeps all digits of integers beyond 2^53, and leaves other numbers numbers", () => {
    expect(
      parseJson('{"a":18446744073709551615,"b":9007199254740993,"c":1.5,"d":1e300,"e":"12345678901234567890"}'),
    ).toEqual({
      a: 18446744073709551615n,
      b: 9007199254740993n,
      c: 1.5,
      d: 1e300,
      e: "12345678901234567890",
    });
  });

  it("refuses text that is no JSON or too long", () => {
    expect(() => parseJson("{")).toThrow("Cannot read config: it is no JSON");
    expect(() => parseJson(" ".repeat(5_000_000))).toThrow("it has more than 4194304 characters");
  });
});
