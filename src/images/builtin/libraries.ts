import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { notFound } from "#errdefs";
import { readElf } from "./elf.ts";

/** Where loaders look without being told, of Debian's and Fedora's kind (ld.so(8)). */
const directories: ReadonlyMap<string, readonly string[]> = new Map([
  ["x64", ["/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"]],
  ["arm64", ["/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"]],
]);

/**
 * The loader and all libraries that a program links to, directly or not: paths where the loader looks for them, so that
 * the same paths work in an image.
 *
 * @throws SampanError `not-found` for a library that is in none of the usual directories
 */
export function librariesOf(program: string, architecture: string = process.arch): readonly string[] {
  const found = new Map<string, string>();
  const pending = [program];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const elf = readElf(path);
    // The loader is also a library that libc links to, by its name alone.
    if (elf.interpreter !== undefined) found.set(basename(elf.interpreter), elf.interpreter);
    const origin = dirname(path);
    const own = elf.runPath.map((directory) => directory.replace(/\$\{?ORIGIN\}?/g, origin));
    for (const name of elf.needed) {
      if (found.has(name)) continue;
      const candidates = [...own, ...(directories.get(architecture) ?? [])].map((directory) => join(directory, name));
      const library = candidates.find((candidate) => existsSync(candidate));
      if (library === undefined) {
        throw notFound(`Cannot find library "${name}": ${path} links to it`, {
          path: name,
          remedy: "Install the package that has it",
        });
      }
      found.set(name, library);
      pending.push(library);
    }
  }
  return [...found.values()].sort();
}
