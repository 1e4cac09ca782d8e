/** Classic BPF (struct sock_filter), as far as seccomp filters need it. */
import { resourceExhausted } from "#errdefs";

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

/** Offsets in struct seccomp_data. An argument has 64 bits in the machine's byte order. */
export const offset = {
  number: 0,
  architecture: 4,
  low: (argument: number, bigEndian: boolean): number => 16 + 8 * argument + (bigEndian ? 4 : 0),
  high: (argument: number, bigEndian: boolean): number => 16 + 8 * argument + (bigEndian ? 0 : 4),
} as const;

/** BPF_MAXINSNS */
const maxInstructions = 4096;

/** Place of an instruction: how many follow it, itself included. */
export type Label = number;

/**
 * Writes a program from its end to its start: jumps of BPF only go forward, so that wherever one goes is written already
 * and its distance is known.
 */
export class BackwardAssembler {
  readonly #words = new Uint32Array(2 * maxInstructions);
  #length = 0;
  /** Where each decision was written last; it can be used again as long as jumps reach it. */
  readonly #returns = new Map<number, Label>();
  readonly #bigEndian: boolean;

  /** @param bigEndian byte order of the machine that runs the program */
  constructor(bigEndian: boolean) {
    this.#bigEndian = bigEndian;
  }

  /** Label of the present start. */
  get start(): Label {
    return this.#length;
  }

  #put(code: number, jt: number, jf: number, k: number): Label {
    if (this.#length === maxInstructions)
      throw resourceExhausted(
        `Cannot compile the seccomp profile: it needs more than the ${maxInstructions} instructions that the kernel takes`,
      );
    this.#length++;
    const at = 2 * (maxInstructions - this.#length);
    this.#words[at] = code | (jt << 16) | (jf << 24);
    this.#words[at + 1] = k;
    return this.#length;
  }

  loadNumber(): Label {
    return this.#put(opcode.load, 0, 0, offset.number);
  }

  loadArchitecture(): Label {
    return this.#put(opcode.load, 0, 0, offset.architecture);
  }

  /** Loads the low 32 bits of an argument. */
  loadLow(argument: number): Label {
    return this.#put(opcode.load, 0, 0, offset.low(argument, this.#bigEndian));
  }

  loadHigh(argument: number): Label {
    return this.#put(opcode.load, 0, 0, offset.high(argument, this.#bigEndian));
  }

  and(mask: number): Label {
    return this.#put(opcode.and, 0, 0, mask);
  }

  /** Ends with a decision, by one that a near jump reaches where there is one. */
  finish(value: number): Label {
    const known = this.#returns.get(value);
    // Leaves room for what is put between the decision and the jump to it.
    if (known !== undefined && this.#length - known < 128) return known;
    const label = this.#put(opcode.return, 0, 0, value);
    this.#returns.set(value, label);
    return label;
  }

  /** Goes on at a label, which need not be the present start. */
  goOn(at: Label): Label {
    return at === this.#length ? at : this.#put(opcode.jump, 0, 0, this.#length - at);
  }

  /** Conditional jumps skip 255 instructions at most, so that a longer way goes over an unconditional one. */
  test(code: number, k: number, yes: Label, no: Label): Label {
    // One jump put for the other target moves this one further away by one.
    const near = (label: Label): Label =>
      this.#length - label < 254 ? label : this.#put(opcode.jump, 0, 0, this.#length - label);
    const holds = near(yes);
    const fails = near(no);
    return this.#put(code, this.#length - holds, this.#length - fails, k);
  }

  /** struct sock_filter: u16 code, u8 jt, u8 jf, u32 k, in the machine's byte order. */
  bytes(): Uint8Array {
    const bytes = new Uint8Array(this.#length * 8);
    const view = new DataView(bytes.buffer);
    const from = 2 * (maxInstructions - this.#length);
    for (let i = 0; i < this.#length; i++) {
      const word = this.#words[from + 2 * i] ?? 0;
      view.setUint16(8 * i, word & 0xffff, !this.#bigEndian);
      view.setUint8(8 * i + 2, (word >>> 16) & 0xff);
      view.setUint8(8 * i + 3, word >>> 24);
      view.setUint32(8 * i + 4, this.#words[from + 2 * i + 1] ?? 0, !this.#bigEndian);
    }
    return bytes;
  }
}
