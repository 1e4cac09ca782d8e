import { createHash } from "node:crypto";
import { parseSeccompFile } from "#spec";
import { describe, expect, it } from "vitest";
import { defaultCapabilities } from "../defaults.ts";
import type { Architecture } from "../host-facts.ts";
import { capabilityNames } from "../tables/capabilities.ts";
import { compileSeccompProfile } from "./compile.ts";
import { defaultProfileName, defaultSeccompProfile, profileVersion } from "./default-profile.ts";
import { interpretFilter } from "./interpret.ts";
import { resolveSeccompFile } from "./resolve.ts";
import { syscallAbis, type SyscallAbi } from "./syscalls.ts";

const {
  SCMP_ARCH_X86_64: abiX8664,
  SCMP_ARCH_X32: abiX32,
  SCMP_ARCH_X86: abiI386,
  SCMP_ARCH_AARCH64: abiAarch64,
} = syscallAbis;

const allow = 0x7fff_0000;
const eperm = 0x0005_0001;
const enosys = 0x0005_0026;

function filter(
  capabilities: readonly string[],
  architecture: Architecture = "x86_64",
  kernel: readonly [number, number] = [6, 18],
  image32 = false,
) {
  const { program, unknown } = compileSeccompProfile(
    defaultSeccompProfile({ capabilities, architecture, kernel, image32 }),
    architecture,
  );
  const ask = (abi: SyscallAbi, name: string, ...args: bigint[]): number => {
    const number = abi.numbers().get(name);
    if (number === undefined) throw new Error(`no ${name}`);
    const six = [0, 1, 2, 3, 4, 5].map((i) => args[i] ?? 0n);
    return interpretFilter(program, { number, architecture: abi.token, args: six });
  };
  return { ask, program, unknown };
}

describe("defaultSeccompProfile()", () => {
  it("denies each of the calls that Docker's denies, for every architecture", () => {
    const denied =
      `acct add_key bpf clock_settime delete_module finit_module fsconfig fsmount fsopen fspick get_mempolicy init_module
       io_uring_enter io_uring_register io_uring_setup kcmp kexec_load keyctl lookup_dcookie mbind mount mount_setattr
       move_mount move_pages nfsservctl open_by_handle_at open_tree perf_event_open pidfd_getfd pivot_root process_madvise
       quotactl quotactl_fd reboot request_key set_mempolicy setdomainname sethostname setns settimeofday swapoff swapon
       syslog umount2 unshare userfaultfd vhangup lsm_set_self_attr`.split(/\s+/);
    const x86 = filter(defaultCapabilities);
    const arm = filter(defaultCapabilities, "aarch64");
    for (const name of denied) {
      for (const abi of [abiX8664, abiX32, abiI386])
        if (abi.numbers().has(name)) expect(`${name} ${x86.ask(abi, name)}`).toBe(`${name} ${eperm}`);
      if (abiAarch64.numbers().has(name)) expect(`${name} ${arm.ask(abiAarch64, name)}`).toBe(`${name} ${eperm}`);
    }
    const more = [
      "kexec_file_load",
      "uselib",
      "ustat",
      "sysfs",
      "_sysctl",
      "create_module",
      "get_kernel_syms",
      "ioperm",
      "iopl",
    ];
    expect(more.map((name) => x86.ask(abiX8664, name))).toEqual(more.map(() => eperm));
  });

  it("answers to calls newer than those of Docker's as an older kernel would", () => {
    const { ask } = filter(defaultCapabilities);
    const names = ["open_tree_attr", "file_getattr", "file_setattr", "listns", "rseq_slice_yield"];
    for (const abi of [abiX8664, abiI386]) expect(names.map((name) => ask(abi, name))).toEqual(names.map(() => enosys));
  });

  it("allows what programs need", () => {
    const names = [
      "read",
      "execve",
      "mmap",
      "futex",
      "openat2",
      "epoll_pwait2",
      "chroot",
      "ptrace",
      "seccomp",
      "rseq",
      "clone",
    ];
    const { ask } = filter(defaultCapabilities);
    expect(names.map((name) => ask(abiX8664, name))).toEqual(names.map(() => allow));
    expect(ask(abiI386, "socketcall", 3n)).toBe(allow);
  });

  it("allows no socket of AF_ALG, AF_VSOCK or an unused family, even with a high half that the kernel ignores", () => {
    const { ask } = filter(defaultCapabilities);
    const allowed: number[] = [];
    for (let family = 0; family < 64; family++) {
      for (const abi of [abiX8664, abiI386])
        if (ask(abi, "socket", BigInt(family)) === allow && abi === abiX8664) allowed.push(family);
      expect(ask(abiX8664, "socket", 0x1_0000_0000n + BigInt(family))).toBe(eperm);
    }
    expect(allowed).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 21, 22, 24, 26, 27, 28, 29, 30, 31, 32, 33, 35, 36,
      39, 41, 42, 43, 44, 45,
    ]);
  });

  it("allows socketcall to make sockets in 32-bit images only, and all its other calls everywhere", () => {
    const calls = Array.from({ length: 21 }, (_, call) => BigInt(call));
    const asked = (image32: boolean): readonly number[] => {
      const { ask } = filter(defaultCapabilities, "x86_64", [6, 18], image32);
      return calls.map((call) => ask(abiI386, "socketcall", call));
    };
    expect(asked(false)).toEqual(calls.map((call) => (call === 1n ? eperm : allow)));
    expect(asked(true)).toEqual(calls.map(() => allow));
  });

  it("allows clone without new namespaces only, and answers ENOSYS to clone3, without CAP_SYS_ADMIN", () => {
    const { ask } = filter(defaultCapabilities);
    const thread = 0x003d_0f00n;
    expect([
      ask(abiX8664, "clone", thread),
      ask(abiX8664, "clone", 0x1000_0000n | thread),
      ask(abiX8664, "clone", 0x0002_0000n),
      ask(abiX8664, "clone3"),
    ]).toEqual([allow, eperm, eperm, enosys]);
    const admin = filter([...defaultCapabilities, "CAP_SYS_ADMIN"]);
    expect([
      admin.ask(abiX8664, "clone", 0x1000_0000n),
      admin.ask(abiX8664, "clone3"),
      admin.ask(abiX8664, "mount"),
      admin.ask(abiX8664, "bpf"),
      admin.ask(abiX8664, "keyctl"),
      admin.ask(abiX8664, "socket", 38n),
    ]).toEqual([allow, allow, allow, allow, eperm, eperm]);
  });

  it("allows the five harmless personalities", () => {
    const { ask } = filter([]);
    const values = [0n, 8n, 0x20000n, 0x20008n, 0xffff_ffffn, 1n, 0x40000n, 0x40_0000n];
    expect(values.map((value) => ask(abiX8664, "personality", value) === allow)).toEqual([
      true,
      true,
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it("denies ptrace before Linux 4.8, where it could step around the filter", () => {
    expect(filter(defaultCapabilities, "x86_64", [4, 4]).ask(abiX8664, "ptrace")).toBe(eperm);
    expect(filter([...defaultCapabilities, "CAP_SYS_PTRACE"], "x86_64", [4, 4]).ask(abiX8664, "ptrace")).toBe(allow);
  });

  it("names no call that does not exist, and stays short", () => {
    const all = filter(capabilityNames);
    const arm = filter(capabilityNames, "aarch64");
    const nowhere = new Set(all.unknown);
    expect(arm.unknown.filter((name) => nowhere.has(name))).toEqual([]);
    expect(filter(defaultCapabilities).program.length / 8).toBeLessThan(700);
  });
});

describe("resolveSeccompFile()", () => {
  it("chooses rules by capability, architecture and kernel as Docker does", () => {
    const file = parseSeccompFile({
      defaultAction: "SCMP_ACT_ERRNO",
      archMap: [{ architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86"] }],
      syscalls: [
        { names: ["a"], action: "SCMP_ACT_ALLOW" },
        { names: ["b"], action: "SCMP_ACT_ALLOW", includes: { caps: ["CAP_CHOWN", "CAP_KILL"] } },
        { names: ["c"], action: "SCMP_ACT_ALLOW", includes: { caps: ["CAP_CHOWN"] } },
        { names: ["d"], action: "SCMP_ACT_ALLOW", excludes: { caps: ["CAP_CHOWN", "CAP_KILL"] } },
        { names: ["e"], action: "SCMP_ACT_ALLOW", includes: { arches: ["arm64"] } },
        { names: ["f"], action: "SCMP_ACT_ALLOW", excludes: { arches: ["arm64"] } },
        { names: ["g"], action: "SCMP_ACT_ALLOW", includes: { minKernel: "6.9" } },
        { names: ["h"], action: "SCMP_ACT_ALLOW", includes: { minKernel: "6.19" } },
        { name: "i", action: "SCMP_ACT_ERRNO", errnoRet: 38 },
      ],
    });
    const context = { capabilities: ["CAP_CHOWN"], architecture: "x86_64", kernel: [6, 18] } as const;
    const profile = resolveSeccompFile(file, context);
    expect(profile.syscalls.flatMap(({ names }) => names)).toEqual(["a", "c", "f", "g", "i"]);
    expect(profile.architectures).toEqual(["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]);
    expect(resolveSeccompFile(file, { ...context, architecture: "aarch64" }).architectures).toEqual([]);
  });
});

describe("defaultProfileName()", () => {
  const context = { capabilities: defaultCapabilities, architecture: "x86_64", kernel: [6, 18] } as const;

  it("says what a default profile was made from", () => {
    expect(defaultProfileName(defaultSeccompProfile(context))).toBe("default-1-x86_64-6.18-a80425fb");
    expect(defaultProfileName(defaultSeccompProfile({ ...context, capabilities: [], image32: true }))).toBe(
      "default-1-x86_64-6.18-32-0",
    );
    expect(defaultProfileName({ ...defaultSeccompProfile(context) })).toBeUndefined();
  });

  it("has a version that is raised when the profiles change, since filters are kept by name", () => {
    const hash = createHash("sha256");
    for (const image32 of [false, true])
      for (const capabilities of [[], defaultCapabilities, capabilityNames])
        for (const kernel of [
          [4, 7],
          [6, 18],
        ] as const) {
          const profile = defaultSeccompProfile({ ...context, capabilities, kernel, image32 });
          hash.update(JSON.stringify(profile, (_, value: unknown) => (typeof value === "bigint" ? `${value}` : value)));
        }
    expect([profileVersion, hash.digest("hex")]).toStrictEqual([
      1,
      "fb8c1fbe3d45de3547e7b820101b1a17f67a25482ce6e5e2566190894f38cce8",
    ]);
  });
});
