/**
 * Device rules as an eBPF program for cgroup v2 (BPF_PROG_TYPE_CGROUP_DEVICE). The kernel runs it when a process opens
 * or makes a device node, with a context of three u32: access << 16 | type, major, minor.
 *
 * Each of the asked-for accesses (read, write, mknod) is decided by the last rule that matches the device and names that
 * access; without one it is denied. So the program goes through the rules from the last to the first, crosses allowed
 * accesses off what is asked for, and ends when nothing is left (allowed) or a rule denies some of the rest.
 */
import { resourceExhausted } from "#errdefs";
import type { DeviceRule } from "#spec";

/** Kernels before 5.2 take at most 4096 instructions; a rule needs up to 6. */
const maxRules = 600;

/** Instructions of a rule after its tests. */
const verdictLength = 4;

const accessBits: ReadonlyMap<string, number> = new Map([
  ["m", 1],
  ["r", 2],
  ["w", 4],
]);
const typeNumber: Readonly<Record<"b" | "c", number>> = { b: 1, c: 2 };

const op = {
  loadWord: 0x61,
  and: 0x57,
  shiftRight: 0x77,
  move: 0xb7,
  jump: 0x05,
  jumpNotEqual: 0x55,
  jumpSet: 0x45,
  exit: 0x95,
} as const;

/** Registers: 0 is the result, 1 the context. */
const result = 0;
const context = 1;
const type = 2;
const asked = 3;
const major = 4;
const minor = 5;

class Assembler {
  readonly #words: number[] = [];

  /** One instruction: opcode, registers, jump offset, immediate. */
  emit(code: number, destination: number, source: number, offset: number, immediate: number): void {
    this.#words.push(code | ((destination | (source << 4)) << 8) | (offset << 16), immediate);
  }

  answer(value: 0 | 1): void {
    this.emit(op.move, result, 0, 0, value);
    this.emit(op.exit, 0, 0, 0, 0);
  }

  bytes(): Uint8Array {
    const bytes = new Uint8Array(this.#words.length * 4);
    const view = new DataView(bytes.buffer);
    for (const [index, word] of this.#words.entries()) view.setInt32(index * 4, word, true);
    return bytes;
  }
}

/**
 * Compiles rules, of which later ones win, to a `struct bpf_insn` array of 8 bytes each.
 *
 * @param otherwise whether accesses that no rule names are allowed
 */
export function compileDeviceProgram(rules: readonly DeviceRule[], otherwise: boolean): Uint8Array {
  if (rules.length > maxRules)
    throw resourceExhausted(`Cannot compile device rules: there are ${rules.length}, at most ${maxRules} are possible`);
  const program = new Assembler();
  program.emit(op.loadWord, type, context, 0, 0);
  program.emit(op.and, type, 0, 0, 0xffff);
  program.emit(op.loadWord, asked, context, 0, 0);
  program.emit(op.shiftRight, asked, 0, 0, 16);
  program.emit(op.loadWord, major, context, 4, 0);
  program.emit(op.loadWord, minor, context, 8, 0);
  for (const rule of rules.toReversed()) {
    // The kernel's device numbers have 12 and 20 bits.
    if ((rule.major ?? 0) > 0xfff || (rule.minor ?? 0) > 0xf_ffff) continue;
    let access = 0;
    for (const letter of rule.access) access |= accessBits.get(letter) ?? 0;
    let left = (rule.type === "a" ? 0 : 1) + (rule.major === undefined ? 0 : 1) + (rule.minor === undefined ? 0 : 1);
    const skipUnless = (register: number, value: number): void => {
      left--;
      program.emit(op.jumpNotEqual, register, 0, left + verdictLength, value);
    };
    if (rule.type !== "a") skipUnless(type, typeNumber[rule.type]);
    if (rule.major !== undefined) skipUnless(major, rule.major);
    if (rule.minor !== undefined) skipUnless(minor, rule.minor);
    if (rule.allow) {
      program.emit(op.and, asked, 0, 0, ~access);
      program.emit(op.jumpNotEqual, asked, 0, 2, 0);
      program.answer(1);
    } else {
      program.emit(op.jumpSet, asked, 0, 1, access);
      program.emit(op.jump, 0, 0, 2, 0);
      program.answer(0);
    }
  }
  program.answer(otherwise ? 1 : 0);
  return program.bytes();
}
