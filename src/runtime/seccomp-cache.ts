/**
 * Compiled system call filters, by the digest of what they were compiled from: in memory, and on disk for the next process.
 * A file that can't be read, or isn't one, is compiled anew.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compileSeccomp, type HostFacts } from "#plan";
import type { SeccompProfile } from "#spec";

/** Part of the digest: raised when the compiler's output changes. */
const compilerVersion = 1;

const bigintAsText = (_: string, value: unknown): unknown => (typeof value === "bigint" ? `${value}n` : value);

export class SeccompCache {
  readonly #directory: string | undefined;
  readonly #architecture: HostFacts["architecture"];
  readonly #byProfile = new WeakMap<SeccompProfile, Uint8Array>();
  readonly #byDigest = new Map<string, Uint8Array>();

  constructor(directory: string | undefined, architecture: HostFacts["architecture"]) {
    this.#directory = directory;
    this.#architecture = architecture;
  }

  readonly compile = (profile: SeccompProfile): Uint8Array => {
    const known = this.#byProfile.get(profile);
    if (known !== undefined) return known;
    const key = createHash("sha256")
      .update(`${compilerVersion} ${this.#architecture} ${JSON.stringify(profile, bigintAsText)}`)
      .digest("hex");
    let program = this.#byDigest.get(key) ?? this.#read(key);
    if (program === undefined) {
      program = compileSeccomp(profile, this.#architecture);
      this.#write(key, program);
    }
    this.#byDigest.set(key, program);
    this.#byProfile.set(profile, program);
    return program;
  };

  #read(key: string): Uint8Array | undefined {
    if (this.#directory === undefined) return undefined;
    try {
      const data = readFileSync(join(this.#directory, key));
      // A filter is whole instructions of 8 bytes, at most 4096 of them.
      return data.length > 0 && data.length % 8 === 0 && data.length <= 4096 * 8 ? data : undefined;
    } catch {
      return undefined;
    }
  }

  #write(key: string, program: Uint8Array): void {
    if (this.#directory === undefined) return;
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      const temporary = join(this.#directory, `.${key}.${process.pid}`);
      writeFileSync(temporary, program, { mode: 0o600 });
      renameSync(temporary, join(this.#directory, key));
    } catch {
      // A cache that can't be written costs time, no more.
    }
  }
}
