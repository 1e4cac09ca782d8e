/** The directory of network configurations, looked at anew whenever one is needed: a file is read again when it has changed. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { failedPrecondition, notFound, resourceExhausted } from "#errdefs";
import { noPlugins, parseCniList, parseCniPlugin, type CniList, type CniPlugin } from "./configuration.ts";
import { largestDocument } from "./reader.ts";

/** A file, and the list in it or why there is none. */
export type CniFile =
  | { readonly path: string; readonly list: CniList }
  | { readonly path: string; readonly error: Error };

const isConfiguration = (name: string): boolean => /\.(conflist|conf|json)$/.test(name);

interface Known {
  readonly version: string;
  readonly value: unknown;
}

/** What tells that a file has changed. */
function versionOf(path: string): string {
  const { ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
  return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}

export class CniDirectory {
  readonly path: string;
  readonly #known = new Map<string, Known>();

  constructor(path: string) {
    this.path = path;
  }

  /** All its files by name; none when there is no such directory. */
  files(): readonly CniFile[] {
    return this.#names(this.path)
      .filter(isConfiguration)
      .map((name): CniFile => {
        const path = join(this.path, name);
        try {
          return { path, list: this.#list(path) };
        } catch (error) {
          return { path, error: error as Error };
        }
      });
  }

  /** Valid ones by their networks' names: of two files with one name the first counts. */
  lists(): readonly CniList[] {
    const byName = new Map<string, CniList>();
    for (const file of this.files())
      if ("list" in file && !byName.has(file.list.name)) byName.set(file.list.name, file.list);
    return [...byName.values()];
  }

  /**
   * A network by its name, or that of the first file.
   *
   * @throws SampanError `not-found`; what is wrong with the first file, which may have been meant
   */
  find(name?: string): CniList {
    const files = this.files();
    const [first] = files;
    if (name === undefined) {
      if (first === undefined)
        throw notFound(`Cannot find a CNI network: "${this.path}" has no configuration`, {
          path: this.path,
          remedy: "Put a .conflist file there",
        });
      if ("error" in first) throw first.error;
      return first.list;
    }
    const found = this.lists().find((list) => list.name === name);
    if (found !== undefined) return found;
    // It may be the one that can't be read.
    const broken = files.find((file) => "error" in file);
    throw notFound(`Cannot find CNI network "${name}": it is not in "${this.path}"`, {
      path: this.path,
      ...(broken !== undefined && "error" in broken ? { cause: broken.error, remedy: broken.error.message } : {}),
    });
  }

  #names(directory: string): readonly string[] {
    try {
      return readdirSync(directory).toSorted((a, b) => (a < b ? -1 : 1));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw failedPrecondition(`Cannot read "${directory}": ${(error as Error).message}`, {
        path: directory,
        cause: error,
      });
    }
  }

  #list(path: string): CniList {
    const list = this.#read(path, parseCniList);
    const plugins = list.loadOnlyInlinedPlugins ? list.plugins : [...list.plugins, ...this.#added(list.name)];
    if (plugins.length === 0) throw noPlugins(list);
    return { ...list, plugins };
  }

  /** Plugins that other programs add to a network, in a directory of its name. */
  #added(name: string): readonly CniPlugin[] {
    const directory = join(this.path, name);
    return this.#names(directory)
      .filter((file) => file.endsWith(".conf"))
      .map((file) => this.#read(join(directory, file), parseCniPlugin));
  }

  #read<T>(path: string, parse: (text: string, path: string) => T): T {
    let version: string;
    let text: string;
    try {
      version = versionOf(path);
      const known = this.#known.get(path);
      if (known?.version === version) return known.value as T;
      if (statSync(path).size > largestDocument)
        throw resourceExhausted(`Cannot read CNI configuration "${path}": it is larger than ${largestDocument} bytes`, {
          path,
        });
      text = readFileSync(path, "utf8");
    } catch (error) {
      if (!(error instanceof Error) || !("syscall" in error)) throw error;
      throw failedPrecondition(`Cannot read CNI configuration "${path}": ${error.message}`, { path, cause: error });
    }
    const value = parse(text, path);
    this.#known.set(path, { version, value });
    return value;
  }
}
