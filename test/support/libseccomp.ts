/** libseccomp as a peer: the filter that it makes of a profile, and the system calls that it knows. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { actionValue } from "../../src/plan/seccomp/actions.ts";
import { abisOf, syscallAbis } from "../../src/plan/seccomp/syscalls.ts";
import type { SeccompArchitecture, SeccompCondition, SeccompOperator, SeccompProfile } from "#spec";

/** enum scmp_compare of seccomp.h */
const operatorNumbers: Record<SeccompOperator, number> = {
  SCMP_CMP_NE: 1,
  SCMP_CMP_LT: 2,
  SCMP_CMP_LE: 3,
  SCMP_CMP_EQ: 4,
  SCMP_CMP_GE: 5,
  SCMP_CMP_GT: 6,
  SCMP_CMP_MASKED_EQ: 7,
};

const short = (name: SeccompArchitecture): string => name.slice("SCMP_ARCH_".length).toLowerCase();

export interface PeerFilter {
  readonly program: Uint8Array;
  /** Names that this libseccomp does not know: it is older than our tables. */
  readonly unknown: ReadonlySet<string>;
}

export class Libseccomp implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), "sampan-libseccomp-"));
  readonly #program = join(this.#directory, "peer");

  constructor() {
    const source = fileURLToPath(new URL("libseccomp-peer.c", import.meta.url));
    const { status, stderr } = spawnSync("gcc", ["-Wall", "-Werror", "-o", this.#program, source, "-lseccomp"], {
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`Cannot build the peer with libseccomp: ${stderr}`);
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** Name → number of an architecture; undefined when libseccomp does not know it. Numbers from `first` to `last`. */
  numbers(name: SeccompArchitecture, first: number, last: number): ReadonlyMap<string, number> | undefined {
    const input = `${short(name)} ${first} ${last}\n`;
    const { stdout, stderr } = spawnSync(this.#program, ["numbers"], { input, encoding: "utf8" });
    if (stderr !== "") return undefined;
    return new Map(
      [...stdout.matchAll(/^\S+ (\d+) (\S+)$/gm)].map(([, number, call = ""]) => [call, Number(number)] as const),
    );
  }

  /**
   * The filter that runc would build before its own additions.
   *
   * @param optimize 2 for a binary tree, which runc asks for when there are more than 32 rules
   */
  compile(profile: SeccompProfile, native: SeccompArchitecture, optimize: 1 | 2 = 1): PeerFilter {
    const otherwise = actionValue(profile.defaultAction, profile.defaultErrnoRet);
    const lines = [`default ${otherwise}`];
    if (native !== "SCMP_ARCH_X86_64") lines.push(`only ${short(native)}`);
    for (const { name } of abisOf(native).slice(1))
      if (profile.architectures.includes(name)) lines.push(`arch ${short(name)}`);
    lines.push(`optimize ${optimize}`);
    for (const { names, action, errnoRet, args } of profile.syscalls) {
      const value = actionValue(action, errnoRet);
      if (value === otherwise) continue;
      const text = ({ index, op, value: a, valueTwo: b }: SeccompCondition): string =>
        ` ${index} ${operatorNumbers[op]} ${a} ${b}`;
      for (const name of names) lines.push(`rule ${value} ${name}${args.map(text).join("")}`);
    }
    const { status, stdout, stderr } = spawnSync(this.#program, { input: `${lines.join("\n")}\n` });
    if (status !== 0) throw new Error(`Cannot compile with libseccomp: ${stderr.toString()}`);
    const values = new Set([
      otherwise,
      ...profile.syscalls.map(({ action, errnoRet }) => actionValue(action, errnoRet)),
    ]);
    const program = syscallAbis[native].bigEndian ? inOneOrder(stdout, values) : new Uint8Array(stdout);
    return { program, unknown: new Set(stderr.toString().split("\n")) };
  }
}

/**
 * For another byte order than this machine's, libseccomp writes all in that order but some of the returned values.
 *
 * @param values that may be returned
 */
function inOneOrder(program: Buffer, values: ReadonlySet<number>): Uint8Array {
  const returnInstruction = 6;
  for (let at = 0; at < program.length; at += 8) {
    if (program.readUInt16BE(at) !== returnInstruction) continue;
    const value = program.readUInt32LE(at + 4);
    if (values.has(value)) program.writeUInt32BE(value, at + 4);
  }
  return new Uint8Array(program);
}
