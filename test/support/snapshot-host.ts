/**
 * What a test host holds, as one comparable value: a test captures it before and after, and so sees whatever Sampan left
 * behind, wherever that is.
 */
import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { expect } from "vitest";
import { cgroupMounts, cgroupTree } from "./cgroups.ts";
import type { TestHost } from "./testhost.ts";

export interface HostSnapshot {
  /** `<mount point> <root> <type> <source> <options>`, sorted; without the numbers, which differ each time. */
  readonly mounts: readonly string[];
  /** Cgroup directories of the host in each hierarchy, and every top-level one that is no other test host's. */
  readonly cgroups: readonly string[];
  /** Network interfaces of the host. */
  readonly interfaces: readonly string[];
  /** Command lines of the processes in the host, sorted, zombies in brackets. */
  readonly processes: readonly string[];
  /** `<type> <path>` of everything below root, state, run and tmp, relative to the host's directory. */
  readonly files: readonly string[];
}

export interface CaptureOptions {
  /** Files to leave out, by their path relative to the host's directory, e.g. `/^root\/metadata\.db/`. */
  readonly ignore?: readonly RegExp[];
}

export const HostState = {
  async capture(host: TestHost, { ignore = [] }: CaptureOptions = {}): Promise<HostSnapshot> {
    // A pull does not wait for the disk: keel removes these marks when all is there.
    for (
      let attempt = 0;
      attempt < 500 && (await readdir(join(host.root, "unflushed")).catch(() => [])).length > 0;
      attempt++
    )
      await new Promise((resolve) => setTimeout(resolve, 20));
    const listed = await Promise.all(["root", "state", "run", "tmp"].map((name) => files(host.directory, name)));
    const [mounted, cgroups, networks, processes] = await Promise.all([
      mounts(host),
      hostCgroups(host),
      interfaces(host),
      commandLines(host),
    ]);
    return {
      mounts: mounted,
      cgroups,
      interfaces: networks,
      processes,
      files: listed.flat().filter((line) => !ignore.some((pattern) => pattern.test(line.slice(2)))),
    };
  },
};

/** Asserts that a host holds the same as before, in all respects at once. */
export function expectUnchanged(before: HostSnapshot, after: HostSnapshot): void {
  expect(after).toStrictEqual(before);
}

async function mounts(host: TestHost): Promise<readonly string[]> {
  const lines = (await readFile(`/proc/${host.initPid}/mountinfo`, "utf8")).trimEnd().split("\n");
  return lines
    .map((line) => {
      const [before = "", after = ""] = line.split(" - ");
      const [, , , root, target, options] = before.split(" ");
      return `${target} ${root} ${after} ${options}`;
    })
    .sort();
}

async function hostCgroups(host: TestHost): Promise<readonly string[]> {
  const found: string[] = [];
  for (const mount of await cgroupMounts()) {
    const top = await readdir(mount, { withFileTypes: true });
    const names = top.filter((entry) => entry.isDirectory() && !entry.name.startsWith("sampan-test-"));
    found.push(...names.map((entry) => join(mount, entry.name)), ...(await cgroupTree(join(mount, host.id))));
  }
  return found.sort();
}

async function interfaces(host: TestHost): Promise<readonly string[]> {
  const lines = (await readFile(`/proc/${host.initPid}/net/dev`, "utf8")).trimEnd().split("\n").slice(2);
  return lines.map((line) => line.split(":")[0]?.trim() ?? "").sort();
}

async function commandLines(host: TestHost): Promise<readonly string[]> {
  const lines = await Promise.all(
    (await host.processes()).map(async (pid) => {
      const directory = `/proc/${host.initPid}/root/proc/${pid}`;
      try {
        const line = (await readFile(`${directory}/cmdline`, "utf8")).replaceAll("\0", " ").trim();
        return line === "" ? `[${(await readFile(`${directory}/comm`, "utf8")).trim()}]` : line;
      } catch {
        return undefined; // it ended meanwhile
      }
    }),
  );
  return lines.filter((line) => line !== undefined).sort();
}

/** Lists below `directory/name` in a stable order; what vanishes meanwhile is left out. */
async function files(directory: string, name: string): Promise<readonly string[]> {
  const entries = await readdir(join(directory, name), { withFileTypes: true, recursive: true });
  return entries
    .map((entry) => {
      const type = entry.isDirectory() ? "d" : entry.isFile() ? "f" : entry.isSymbolicLink() ? "l" : "s";
      return `${type} ${relative(directory, entry.parentPath)}${sep}${entry.name}`;
    })
    .sort();
}
