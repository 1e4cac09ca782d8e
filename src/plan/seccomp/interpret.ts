import { invalidArgument } from "#errdefs";
import { offset, opcode } from "./bpf.ts";

/** struct seccomp_data, as far as a filter looks at it. */
export interface SystemCall {
  /** As the kernel reports it: with the bit of x32. */
  readonly number: number;
  /** AUDIT_ARCH_* */
  readonly architecture: number;
  /** Six, of 64 bits each. */
  readonly args: readonly bigint[];
}

const jumpSet = 0x45;
/** __AUDIT_ARCH_LE: the program and its data are in this byte order then. */
const littleEndian = 0x4000_0000;

/**
 * Runs a seccomp filter as the kernel would, for tests and to answer what a profile does to a call. Knows the
 * instructions that our compiler and libseccomp write.
 *
 * @param step called for each instruction that is run
 * @returns SECCOMP_RET_* with its data
 * @throws SampanError `invalid-argument` for another instruction, a jump out of the program, or a missing end
 */
export function interpretFilter(program: Uint8Array, call: SystemCall, step?: () => void): number {
  const bigEndian = (call.architecture & littleEndian) === 0;
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const data = new Map<number, number>([
    [offset.number, call.number],
    [offset.architecture, call.architecture],
  ]);
  for (const [index, value] of call.args.entries()) {
    data.set(offset.low(index, bigEndian), Number(value & 0xffff_ffffn));
    data.set(offset.high(index, bigEndian), Number(value >> 32n));
  }
  let accumulator = 0;
  let at = 0;
  while (at + 8 <= view.byteLength) {
    const code = view.getUint16(at, !bigEndian);
    const k = view.getUint32(at + 4, !bigEndian);
    at += 8;
    step?.();
    if (code === opcode.return) return k;
    if (code === opcode.load) {
      const value = data.get(k);
      if (value === undefined) throw invalidArgument(`Cannot interpret filter: it loads from offset ${k}`);
      accumulator = value >>> 0;
    } else if (code === opcode.and) accumulator = (accumulator & k) >>> 0;
    else if (code === opcode.jump) at += 8 * k;
    else at += 8 * view.getUint8(at - 6 + (holds(code, accumulator, k) ? 0 : 1));
  }
  throw invalidArgument("Cannot interpret filter: it ends without a decision");
}

function holds(code: number, accumulator: number, k: number): boolean {
  if (code === opcode.jumpEqual) return accumulator === k;
  if (code === opcode.jumpGreater) return accumulator > k;
  if (code === opcode.jumpGreaterEqual) return accumulator >= k;
  if (code === jumpSet) return (accumulator & k) !== 0;
  throw invalidArgument(`Cannot interpret filter: instruction ${code} is unknown`);
}
