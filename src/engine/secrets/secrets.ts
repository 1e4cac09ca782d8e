/**
 * Secrets and configuration files of containers: mounted from memory, never written to a disk. One that comes from a file of
 * the host is read at each start; one that comes from a variable or from the library's caller is kept in memory until the
 * container is removed or the host goes down.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmdirSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { failedPrecondition, invalidArgument } from "#errdefs";
import type { MemoryFile } from "#plan";

export interface SecretOption {
  readonly name: string;
  /** Absolute path inside. */
  readonly target: string;
  /** Where its content comes from: a file of the host, a variable of this process, or these bytes. */
  readonly source: { readonly file: string } | { readonly env: string } | { readonly data: Uint8Array | string };
  readonly uid?: number;
  readonly gid?: number;
  /** Permission bits; 0o444 by default. */
  readonly mode?: number;
}

/** As it is kept with the container: without the content. */
export interface ResolvedSecret {
  readonly name: string;
  readonly target: string;
  /** Absolute path of the host; undefined for one that is kept in memory. */
  readonly file: string | undefined;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** Docker's bound, for one and for all of a container. */
const maxSize = 500 * 1024;

/** statfs(2) f_type of filesystems that are in memory. */
const memoryFilesystems = new Set([0x01021994, 0x858458f6]);

export class SecretStore {
  readonly #stateDirectory: string;

  /** @param stateDirectory where the state of containers is, most often in memory */
  constructor(stateDirectory: string) {
    this.#stateDirectory = stateDirectory;
  }

  /** A directory in memory: below the state directory, or else in /dev/shm. */
  #directory(id: string): string {
    const state = dirname(this.#stateDirectory);
    if (isMemory(state)) return join(state, "secrets", id);
    if (!isMemory("/dev/shm"))
      throw failedPrecondition(`Cannot keep secrets: neither "${state}" nor "/dev/shm" is in memory`);
    const name = createHash("sha256").update(state).digest("hex").slice(0, 16);
    return join("/dev/shm", `sampan-secrets-${name}`, id);
  }

  /** Keeps what is not in a file, for the starts of a container. */
  keep(id: string, options: readonly SecretOption[]): void {
    const kept = options.filter(({ source }) => !("file" in source));
    if (kept.length === 0) return;
    const directory = this.#directory(id);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (const option of kept)
      writeFileSync(join(directory, keyOf(option.target)), contentOf(option), { mode: 0o600, flag: "wx" });
  }

  /** Files for a start. Throws `failed-precondition` when one is not to be had any more. */
  files(id: string, secrets: readonly ResolvedSecret[]): MemoryFile[] {
    return secrets.map(({ name, target, file, uid, gid, mode }) => {
      const data = file === undefined ? this.#read(id, name, target) : readSource(name, file);
      return { path: target, data, mode, uid, gid };
    });
  }

  #read(id: string, name: string, target: string): Uint8Array {
    try {
      return readFileSync(join(this.#directory(id), keyOf(target)));
    } catch (error) {
      throw failedPrecondition(`Cannot get secret "${name}": it was in memory only, and the host went down`, {
        cause: error,
        remedy: "Make the container again",
      });
    }
  }

  /** Overwrites nothing: memory that is given back is cleared by the kernel. */
  remove(id: string): void {
    const directory = this.#directory(id);
    rmSync(directory, { recursive: true, force: true });
    try {
      // The last one takes the directory of all with it.
      rmdirSync(dirname(directory));
    } catch {
      // Others have theirs in it, or it is not there.
    }
  }
}

/**
 * Checks the secrets of a new container.
 *
 * @throws SampanError `invalid-argument`
 */
export function resolveSecrets(options: readonly SecretOption[]): ResolvedSecret[] {
  const targets = new Set<string>();
  let total = 0;
  return options.map((option) => {
    const secret = check(option);
    if (targets.has(secret.target))
      throw invalidArgument(`Cannot put secret "${option.name}" on "${secret.target}": another one is there`);
    targets.add(secret.target);
    total += contentOf(option).length;
    if (total > maxSize)
      throw invalidArgument(`Cannot take secret "${option.name}": there are more than 500 KiB of them`);
    return secret;
  });
}

/** What a plan of a container that is not made has. */
export function secretFiles(options: readonly SecretOption[]): MemoryFile[] {
  return resolveSecrets(options).map(({ target, uid, gid, mode }, i) => {
    const option = options[i];
    return { path: target, data: option === undefined ? new Uint8Array(0) : contentOf(option), mode, uid, gid };
  });
}

const keyOf = (target: string): string => createHash("sha256").update(target).digest("hex").slice(0, 32);

function isMemory(directory: string): boolean {
  try {
    return memoryFilesystems.has(statfsSync(directory).type);
  } catch {
    return false;
  }
}

function check({ name, target, source, uid = 0, gid = 0, mode = 0o444 }: SecretOption): ResolvedSecret {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/.test(name))
    throw invalidArgument(`Cannot take secret "${name}": its name may have letters, digits, "_", "." and "-"`);
  if (!target.startsWith("/") || target.includes("\0") || target.split("/").some((p) => p === ".." || p === "."))
    throw invalidArgument(`Cannot put secret "${name}" on "${target}": it is not an absolute path`);
  if (!Number.isInteger(mode) || mode < 0 || mode > 0o777)
    throw invalidArgument(`Cannot give secret "${name}" mode ${mode.toString(8)}: it has at most rwxrwxrwx`);
  return { name, target, file: "file" in source ? resolve(source.file) : undefined, uid, gid, mode };
}

function contentOf({ name, source }: SecretOption): Uint8Array {
  if ("data" in source) return typeof source.data === "string" ? Buffer.from(source.data) : source.data;
  if ("file" in source) return readSource(name, source.file);
  if (!("env" in source)) throw invalidArgument(`Cannot take secret "${name}": it has no source`);
  const value = process.env[source.env];
  if (value === undefined) throw invalidArgument(`Cannot take secret "${name}": variable "${source.env}" is not set`);
  return Buffer.from(value);
}

function readSource(name: string, path: string): Uint8Array {
  try {
    const { size } = statSync(path);
    if (size > maxSize)
      throw invalidArgument(`Cannot take secret "${name}": "${path}" has more than 500 KiB`, { path });
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined || !("syscall" in (error as object))) throw error;
    throw invalidArgument(
      `Cannot read secret "${name}" from "${path}": ${(error as Error).message.replace(/^\w+: /, "")}`,
      {
        path,
        cause: error,
      },
    );
  }
}
