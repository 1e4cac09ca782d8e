/** Names that were not answered for a container, in a file that the engine reads: how often, when last, and why. */
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface RefusedName {
  readonly name: string;
  /** `not-allowed`: it is not on the list; `private-address`: an address was answered that no public name has. */
  readonly reason: "not-allowed" | "private-address";
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly last: number;
}

/** Of one container: whoever makes names up should not fill the disk. The oldest ones go. */
const mostNames = 256;
/** Milliseconds between two writes. */
const pause = 300;

const folder = "refused";
const pathOf = (directory: string, container: string): string => join(directory, folder, `${container}.json`);

/** What was refused to a container, the latest first. */
export function readRefusedNames(directory: string, container: string): readonly RefusedName[] {
  try {
    return (JSON.parse(readFileSync(pathOf(directory, container), "utf8")) as RefusedName[]).reverse();
  } catch {
    // Nothing yet.
    return [];
  }
}

export class RefusedNames {
  readonly #directory: string;
  readonly #names = new Map<string, Map<string, RefusedName>>();
  readonly #unwritten = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  add(container: string, name: string, reason: RefusedName["reason"]): void {
    const names = this.#of(container);
    const key = `${reason} ${name}`;
    const count = (names.get(key)?.count ?? 0) + 1;
    names.delete(key);
    names.set(key, { name, reason, count, last: Date.now() });
    for (const oldest of names.keys()) {
      if (names.size <= mostNames) break;
      names.delete(oldest);
    }
    this.#unwritten.add(container);
    this.#timer ??= setTimeout(() => this.flush(), pause).unref();
  }

  /** Another process may have written before this one. */
  #of(container: string): Map<string, RefusedName> {
    const known = this.#names.get(container);
    if (known !== undefined) return known;
    const written = readRefusedNames(this.#directory, container).toReversed();
    const names = new Map(written.map((refused) => [`${refused.reason} ${refused.name}`, refused]));
    this.#names.set(container, names);
    return names;
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#unwritten.size > 0) mkdirSync(join(this.#directory, folder), { recursive: true, mode: 0o700 });
    for (const container of this.#unwritten) {
      const path = pathOf(this.#directory, container);
      writeFileSync(`${path}.new`, JSON.stringify([...this.#of(container).values()]), { mode: 0o600 });
      renameSync(`${path}.new`, path);
    }
    this.#unwritten.clear();
  }

  /** Forgets containers that are gone. */
  keep(containers: ReadonlySet<string>): void {
    for (const container of this.#names.keys()) if (!containers.has(container)) this.#names.delete(container);
    let files: string[] = [];
    try {
      files = readdirSync(join(this.#directory, folder));
    } catch {
      // None was ever written.
    }
    for (const file of files)
      if (!containers.has(file.replace(/\.json(\.new)?$/, "")))
        rmSync(join(this.#directory, folder, file), { force: true });
  }
}
