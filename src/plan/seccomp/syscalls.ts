/** How each architecture numbers its system calls, and what the kernel calls it in seccomp_data. */
import type { SeccompArchitecture } from "#spec";
import { syscallTables } from "./syscall-tables.ts";

export interface SyscallAbi {
  /** Name in profiles. */
  readonly name: SeccompArchitecture;
  /** AUDIT_ARCH_*, from include/uapi/linux/audit.h. */
  readonly token: number;
  readonly bigEndian: boolean;
  /** Arguments have 32 bits: conditions compare their low halves only. */
  readonly narrow: boolean;
  /** It has socketcall(2) and ipc(2), one number each for a family of calls. */
  readonly multiplexed: boolean;
  /** Name → number as the kernel reports it. */
  readonly numbers: () => ReadonlyMap<string, number>;
}

type Table = keyof typeof syscallTables;

/** x32 shares its token with x86-64, and marks its numbers with this bit. */
export const x32Bit = 0x4000_0000;

/** __AUDIT_ARCH_64BIT and __AUDIT_ARCH_LE */
const bits64 = 0x8000_0000;
const littleEndian = 0x4000_0000;
/** __AUDIT_ARCH_CONVENTION_MIPS64_N32 */
const n32 = 0x2000_0000;

/** ELF's numbers of machines (include/uapi/linux/elf-em.h), with what audit.h adds to them; the same for both byte orders. */
const machines: Readonly<Record<Table, number>> = {
  x86: 3,
  x86_64: 62 + bits64,
  x32: 62 + bits64,
  arm: 40,
  aarch64: 183 + bits64,
  riscv64: 243 + bits64,
  loongarch64: 258 + bits64,
  m68k: 4,
  mips: 8,
  mips64: 8 + bits64,
  mips64n32: 8 + bits64 + n32,
  parisc: 15,
  parisc64: 15 + bits64,
  ppc: 20,
  ppc64: 21 + bits64,
  s390: 22,
  s390x: 22 + bits64,
  sh: 42,
};

/** What is added to the numbers of a table. */
const bases: ReadonlyMap<Table, number> = new Map([
  ["x32", x32Bit],
  ["mips", 4000],
  ["mips64", 5000],
  ["mips64n32", 6000],
]);

/** arm and parisc never had the two calls, or no longer have; 64-bit architectures that came later do not either. */
const multiplexed: ReadonlySet<Table> = new Set(["x86", "m68k", "mips", "ppc", "ppc64", "s390", "s390x", "sh"]);

function abi(name: SeccompArchitecture, table: Table, order: "big" | "little"): SyscallAbi {
  const machine = machines[table];
  let numbers: ReadonlyMap<string, number> | undefined;
  return {
    name,
    token: machine + (order === "little" ? littleEndian : 0),
    bigEndian: order === "big",
    narrow: machine < bits64 || table === "x32" || table === "mips64n32",
    multiplexed: multiplexed.has(table),
    numbers: () => (numbers ??= withBase(tableNumbers(table), bases.get(table))),
  };
}

export const syscallAbis: Readonly<Record<SeccompArchitecture, SyscallAbi>> = {
  SCMP_ARCH_X86: abi("SCMP_ARCH_X86", "x86", "little"),
  SCMP_ARCH_X86_64: abi("SCMP_ARCH_X86_64", "x86_64", "little"),
  SCMP_ARCH_X32: abi("SCMP_ARCH_X32", "x32", "little"),
  SCMP_ARCH_ARM: abi("SCMP_ARCH_ARM", "arm", "little"),
  SCMP_ARCH_AARCH64: abi("SCMP_ARCH_AARCH64", "aarch64", "little"),
  SCMP_ARCH_LOONGARCH64: abi("SCMP_ARCH_LOONGARCH64", "loongarch64", "little"),
  SCMP_ARCH_M68K: abi("SCMP_ARCH_M68K", "m68k", "big"),
  SCMP_ARCH_MIPS: abi("SCMP_ARCH_MIPS", "mips", "big"),
  SCMP_ARCH_MIPS64: abi("SCMP_ARCH_MIPS64", "mips64", "big"),
  SCMP_ARCH_MIPS64N32: abi("SCMP_ARCH_MIPS64N32", "mips64n32", "big"),
  SCMP_ARCH_MIPSEL: abi("SCMP_ARCH_MIPSEL", "mips", "little"),
  SCMP_ARCH_MIPSEL64: abi("SCMP_ARCH_MIPSEL64", "mips64", "little"),
  SCMP_ARCH_MIPSEL64N32: abi("SCMP_ARCH_MIPSEL64N32", "mips64n32", "little"),
  SCMP_ARCH_PARISC: abi("SCMP_ARCH_PARISC", "parisc", "big"),
  SCMP_ARCH_PARISC64: abi("SCMP_ARCH_PARISC64", "parisc64", "big"),
  SCMP_ARCH_PPC: abi("SCMP_ARCH_PPC", "ppc", "big"),
  SCMP_ARCH_PPC64: abi("SCMP_ARCH_PPC64", "ppc64", "big"),
  SCMP_ARCH_PPC64LE: abi("SCMP_ARCH_PPC64LE", "ppc64", "little"),
  SCMP_ARCH_RISCV64: abi("SCMP_ARCH_RISCV64", "riscv64", "little"),
  SCMP_ARCH_S390: abi("SCMP_ARCH_S390", "s390", "big"),
  SCMP_ARCH_S390X: abi("SCMP_ARCH_S390X", "s390x", "big"),
  SCMP_ARCH_SH: abi("SCMP_ARCH_SH", "sh", "little"),
  SCMP_ARCH_SHEB: abi("SCMP_ARCH_SHEB", "sh", "big"),
};

/** The further ABIs that a kernel runs programs of. */
const companions: Readonly<Partial<Record<SeccompArchitecture, readonly SeccompArchitecture[]>>> = {
  SCMP_ARCH_X86_64: ["SCMP_ARCH_X32", "SCMP_ARCH_X86"],
  SCMP_ARCH_AARCH64: ["SCMP_ARCH_ARM"],
  SCMP_ARCH_MIPS64: ["SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPS"],
  SCMP_ARCH_MIPSEL64: ["SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_MIPSEL"],
  SCMP_ARCH_PARISC64: ["SCMP_ARCH_PARISC"],
  SCMP_ARCH_PPC64: ["SCMP_ARCH_PPC"],
  SCMP_ARCH_S390X: ["SCMP_ARCH_S390"],
};

/** ABIs of the programs that a kernel runs: its own first. */
export const abisOf = (native: SeccompArchitecture): readonly [SyscallAbi, ...SyscallAbi[]] => [
  syscallAbis[native],
  ...(companions[native] ?? []).map((name) => syscallAbis[name]),
];

/** Whether any architecture has a system call of this name. */
export function isSystemCall(name: string): boolean {
  return (Object.keys(syscallTables) as Table[]).some((table) => tableNumbers(table).has(name));
}

const parsed = new Map<Table, ReadonlyMap<string, number>>();

function tableNumbers(table: Table): ReadonlyMap<string, number> {
  let numbers = parsed.get(table);
  if (numbers === undefined) {
    const { names, from }: { readonly names: string; readonly from?: Table } = syscallTables[table];
    parsed.set(table, (numbers = parseTable(names, from === undefined ? [] : [...tableNumbers(from).keys()])));
  }
  return numbers;
}

/** @param base the names that ranges are taken from */
function parseTable(text: string, base: readonly string[]): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  let next = 0;
  for (const word of text.trim().split(/\s+/)) {
    const [first = "", last] = word.split("~");
    if (first.startsWith("@")) next = Number(first.slice(1));
    else if (last === undefined) numbers.set(first, next++);
    else for (const name of base.slice(base.indexOf(first), base.indexOf(last) + 1)) numbers.set(name, next++);
  }
  return numbers;
}

function withBase(numbers: ReadonlyMap<string, number>, base = 0): ReadonlyMap<string, number> {
  return base === 0 ? numbers : new Map([...numbers].map(([name, number]) => [name, number + base]));
}
