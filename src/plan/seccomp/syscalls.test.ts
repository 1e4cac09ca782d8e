import { seccompArchitectures } from "#spec";
import { describe, expect, it } from "vitest";
import { abisOf, isSystemCall, syscallAbis } from "./syscalls.ts";

const numbersOf = (name: (typeof seccompArchitectures)[number]): ReadonlyMap<string, number> =>
  syscallAbis[name].numbers();

describe("syscallAbis", () => {
  it("has each architecture of the runtime-spec, with the kernel's token for it", () => {
    const tokens = seccompArchitectures.map((name) => [name, syscallAbis[name].token.toString(16)]);
    expect(Object.fromEntries(tokens)).toEqual({
      SCMP_ARCH_X86: "40000003",
      SCMP_ARCH_X86_64: "c000003e",
      SCMP_ARCH_X32: "c000003e",
      SCMP_ARCH_ARM: "40000028",
      SCMP_ARCH_AARCH64: "c00000b7",
      SCMP_ARCH_MIPS: "8",
      SCMP_ARCH_MIPS64: "80000008",
      SCMP_ARCH_MIPS64N32: "a0000008",
      SCMP_ARCH_MIPSEL: "40000008",
      SCMP_ARCH_MIPSEL64: "c0000008",
      SCMP_ARCH_MIPSEL64N32: "e0000008",
      SCMP_ARCH_PPC: "14",
      SCMP_ARCH_PPC64: "80000015",
      SCMP_ARCH_PPC64LE: "c0000015",
      SCMP_ARCH_S390: "16",
      SCMP_ARCH_S390X: "80000016",
      SCMP_ARCH_PARISC: "f",
      SCMP_ARCH_PARISC64: "8000000f",
      SCMP_ARCH_RISCV64: "c00000f3",
      SCMP_ARCH_LOONGARCH64: "c0000102",
      SCMP_ARCH_M68K: "4",
      SCMP_ARCH_SH: "4000002a",
      SCMP_ARCH_SHEB: "2a",
    });
  });

  it("gives a number one name, and numbers in their order", () => {
    for (const name of seccompArchitectures) {
      const numbers = [...numbersOf(name).values()];
      expect(new Set(numbers).size, name).toBe(numbers.length);
      expect(numbers, name).toEqual(numbers.toSorted((a, b) => a - b));
    }
  });

  it("agrees from architecture to architecture on what came after Linux 5.1, when numbers became the same everywhere", () => {
    const x86 = new Map([...numbersOf("SCMP_ARCH_X86_64")].filter(([, number]) => number >= 424));
    for (const name of seccompArchitectures) {
      const base = ((numbersOf(name).get("openat2") ?? 0) - 437) | 0;
      const late = [...numbersOf(name)].filter(([call]) => x86.has(call));
      expect(late, name).toEqual(late.map(([call]) => [call, (x86.get(call) ?? 0) + base]));
      expect(late.length, name).toBeGreaterThanOrEqual(x86.size - 2);
    }
  });

  it("knows where some calls are, of each table", () => {
    const asked = ["read", "openat2", "socket", "semop"];
    const places = seccompArchitectures.map((name) => [
      name.slice(10),
      ...asked.map((call) => numbersOf(name).get(call)),
    ]);
    expect(places).toEqual([
      ["X86", 3, 437, 359, undefined],
      ["X86_64", 0, 437, 41, 65],
      ["X32", 0x4000_0000, 0x4000_0000 + 437, 0x4000_0000 + 41, 0x4000_0000 + 65],
      ["ARM", 3, 437, 281, 298],
      ["AARCH64", 63, 437, 198, 193],
      ["MIPS", 4003, 4437, 4183, undefined],
      ["MIPS64", 5000, 5437, 5040, 5063],
      ["MIPS64N32", 6000, 6437, 6040, 6063],
      ["MIPSEL", 4003, 4437, 4183, undefined],
      ["MIPSEL64", 5000, 5437, 5040, 5063],
      ["MIPSEL64N32", 6000, 6437, 6040, 6063],
      ["PPC", 3, 437, 326, undefined],
      ["PPC64", 3, 437, 326, undefined],
      ["PPC64LE", 3, 437, 326, undefined],
      ["S390", 3, 437, 359, undefined],
      ["S390X", 3, 437, 359, undefined],
      ["PARISC", 3, 437, 17, 185],
      ["PARISC64", 3, 437, 17, 185],
      ["RISCV64", 63, 437, 198, 193],
      ["LOONGARCH64", 63, 437, 198, 193],
      ["M68K", 3, 437, 356, undefined],
      ["SH", 3, 437, 340, undefined],
      ["SHEB", 3, 437, 340, undefined],
    ]);
  });
});

describe("abisOf()", () => {
  it("gives ABIs of one byte order", () => {
    for (const name of seccompArchitectures)
      expect(new Set(abisOf(name).map(({ bigEndian }) => bigEndian)).size, name).toBe(1);
  });
});

describe("isSystemCall()", () => {
  it("knows calls of any architecture", () => {
    expect(
      ["read", "breakpoint", "sync_file_range2", "spu_run", "riscv_hwprobe", "no_such_call", ""].map(isSystemCall),
    ).toEqual([true, true, true, true, true, false, false]);
  });
});
