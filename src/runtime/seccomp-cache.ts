/**
 * Compiled system call filters, by the digest of what they were compiled from: in memory, and on disk for the next process.
 * A file that can't be read, or isn't one, is compiled anew.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compileSeccompProfile, defaultProfileName, type CompiledSeccomp, type HostFacts } from "#plan";
import type { SeccompProfile } from "#spec";

/** Part of the digest: raised when the compiler's output changes. */
const compilerVersion = 2;

const bigintAsText = (_: string, value: unknown): unknown => (typeof value === "bigint" ? `${value}n` : value);

export class SeccompCache {
  readonly #directory: string | undefined;
  readonly #architecture: HostFacts["architecture"];
  readonly #byProfile = new WeakMap<SeccompProfile, CompiledSeccomp>();
  readonly #byDigest = new Map<string, CompiledSeccomp>();

  constructor(directory: string | undefined, architecture: HostFacts["architecture"]) {
    this.#directory = directory;
    this.#architecture = architecture;
  }

  readonly compile = (profile: SeccompProfile): CompiledSeccomp => {
    const known = this.#byProfile.get(profile);
    if (known !== undefined) return known;
    const key = this.#key(profile);
    let compiled = this.#byDigest.get(key) ?? this.#read(key);
    if (compiled === undefined) {
      compiled = compileSeccompProfile(profile, this.#architecture);
      this.#write(key, compiled);
    }
    this.#byDigest.set(key, compiled);
    this.#byProfile.set(profile, compiled);
    return compiled;
  };

  /** A file's name. Most containers have a default profile, and need neither its text nor node:crypto for it. */
  #key(profile: SeccompProfile): string {
    const name = defaultProfileName(profile);
    if (name !== undefined) return `${compilerVersion}-${this.#architecture}-${name}`;
    return createHash("sha256")
      .update(`${compilerVersion} ${this.#architecture} ${JSON.stringify(profile, bigintAsText)}`)
      .digest("hex");
  }

  #read(key: string): CompiledSeccomp | undefined {
    if (this.#directory === undefined) return undefined;
    try {
      return decode(readFileSync(join(this.#directory, key)));
    } catch {
      return undefined;
    }
  }

  #write(key: string, compiled: CompiledSeccomp): void {
    if (this.#directory === undefined) return;
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      const temporary = join(this.#directory, `.${key}.${process.pid}`);
      writeFileSync(temporary, encode(compiled), { mode: 0o600 });
      renameSync(temporary, join(this.#directory, key));
    } catch {
      // A cache that can't be written costs time, no more.
    }
  }
}

/** A file: the number of instructions (u32, little endian), the program, the unknown names with a newline between them. */
function encode({ program, unknown }: CompiledSeccomp): Uint8Array {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(program.length / 8);
  return Buffer.concat([head, program, Buffer.from(unknown.join("\n"))]);
}

function decode(file: Buffer): CompiledSeccomp | undefined {
  const end = 4 + 8 * file.readUInt32LE();
  // The kernel takes at most 4096 instructions.
  if (end === 4 || end > 4 + 8 * 4096 || end > file.length) return undefined;
  const names = file.toString("utf8", end);
  return { program: file.subarray(4, end), unknown: names === "" ? [] : names.split("\n") };
}
