/** Instructions of classic BPF (struct sock_filter), as far as seccomp filters need them. */
export interface Instruction {
  readonly code: number;
  /** How many instructions to skip when the test holds, and when not. */
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

/** Opcodes, from include/uapi/linux/bpf_common.h. */
export const opcode = {
  /** Load 32 bits of seccomp_data at offset k. */
  load: 0x20,
  and: 0x54,
  jump: 0x05,
  jumpEqual: 0x15,
  jumpGreater: 0x25,
  jumpGreaterEqual: 0x35,
  return: 0x06,
} as const;

/** Offsets in struct seccomp_data (both architectures are little endian). */
export const offset = {
  number: 0,
  architecture: 4,
  low: (argument: number): number => 16 + 8 * argument,
  high: (argument: number): number => 20 + 8 * argument,
} as const;

export const load = (k: number): Instruction => ({ code: opcode.load, jt: 0, jf: 0, k });
export const and = (k: number): Instruction => ({ code: opcode.and, jt: 0, jf: 0, k });
export const jump = (k: number): Instruction => ({ code: opcode.jump, jt: 0, jf: 0, k });
export const finish = (k: number): Instruction => ({ code: opcode.return, jt: 0, jf: 0, k });
export const test = (code: number, k: number, jt: number, jf: number): Instruction => ({ code, jt, jf, k });

/**
 * A test that goes to `yes` or `no`, laid out one after the other. Conditional jumps reach 255 instructions, so that a
 * longer way goes over an unconditional one.
 */
export function branch(
  code: number,
  k: number,
  yes: readonly Instruction[],
  no: readonly Instruction[],
): Instruction[] {
  if (no.length <= 255) return [test(code, k, no.length, 0), ...no, ...yes];
  return [test(code, k, 0, 1), jump(no.length), ...no, ...yes];
}

/** struct sock_filter: u16 code, u8 jt, u8 jf, u32 k. */
export function encode(program: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { code, jt, jf, k } of program) {
    view.setUint16(at, code, true);
    view.setUint8(at + 2, jt);
    view.setUint8(at + 3, jf);
    view.setUint32(at + 4, k, true);
    at += 8;
  }
  return bytes;
}
