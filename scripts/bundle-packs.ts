/**
 * esbuild splits a program into a file for each part that commands share: some thirty for `sampan run`, each of which Node looks
 * for, reads and compiles by itself, which takes longer than running them. So the parts are put together again as functions,
 * in a few files: what a container's start needs, and what only the daemon needs. The other parts stay files of their own.
 */
import { basename } from "node:path";
import type { Metafile } from "esbuild";

export interface Part {
  /** As others require it, e.g. `./chunk-XYZ.cjs`. */
  readonly name: string;
  /** CommonJS. */
  readonly code: string;
}

export interface Pack {
  readonly name: string;
  /** Source files whose parts, and those that these import, go into the pack, unless an earlier one has them. */
  readonly entries: readonly string[];
}

const partName = (path: string): string => `./${basename(path)}`;

/** Names of the parts that the entries load at once, the entries among them. */
function closure(metafile: Metafile, entries: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const add = (path: string): void => {
    if (found.has(partName(path))) return;
    found.add(partName(path));
    for (const { path: other, kind, external } of metafile.outputs[path]?.imports ?? [])
      if (kind === "import-statement" && external !== true) add(other);
  };
  for (const entry of entries) {
    const output = Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint === entry);
    if (output === undefined) throw new Error(`Cannot pack "${entry}": it is no part of its own`);
    add(output[0]);
  }
  return found;
}

const body = ({ name, code }: Part): string => `${JSON.stringify(name)}(require,module,exports){${code}\n}`;

const file = (parts: readonly Part[]): string => `module.exports={${parts.map(body).join(",\n")}};\n`;

/** Makes parts by their names, each once. It takes the parts of the first pack, and where the others are. */
const loader = `function loader(parts, places) {
  const made = new Map();
  const load = (name) => {
    const found = made.get(name);
    if (found !== undefined) return found.exports;
    if (parts[name] === undefined) {
      if (places[name] === undefined) return require(name);
      Object.assign(parts, require(places[name]));
    }
    const module = { exports: {} };
    made.set(name, module);
    parts[name](load, module, module.exports);
    return module.exports;
  };
  return load;
}
`;

/**
 * Puts parts into packs. The file of the first pack exports what the part `main` does.
 *
 * @returns code by the file's name
 */
export function pack(
  metafile: Metafile,
  parts: readonly Part[],
  main: string,
  packs: readonly Pack[],
): ReadonlyMap<string, string> {
  const left = new Set(parts);
  const contents = packs.map(({ name, entries }) => {
    const wanted = closure(metafile, entries);
    const own = [...left].filter((part) => wanted.has(part.name));
    for (const part of own) left.delete(part);
    return { name, parts: own };
  });
  const [first, ...others] = [...contents, ...[...left].map((part) => ({ name: basename(part.name), parts: [part] }))];
  if (first === undefined) throw new Error("Cannot pack parts: there is no pack");
  const places = Object.fromEntries(
    others.flatMap((other) => other.parts.map(({ name }) => [name, `./${other.name}`])),
  );
  return new Map([
    [
      first.name,
      `${loader}module.exports=loader({${first.parts.map(body).join(",\n")}},${JSON.stringify(places)})(${JSON.stringify(main)});\n`,
    ],
    ...others.map((other): [string, string] => [other.name, file(other.parts)]),
  ]);
}
