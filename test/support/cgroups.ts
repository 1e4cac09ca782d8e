/** The machine's cgroup hierarchies, v1 and v2, as the tests look at them and clean them. */
import { readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Mount points of all cgroup hierarchies, from this process's mountinfo. */
export async function cgroupMounts(): Promise<readonly string[]> {
  const mounts = new Set<string>();
  for (const line of (await readFile("/proc/self/mountinfo", "utf8")).split("\n")) {
    const [before = "", after = ""] = line.split(" - ");
    const target = before.split(" ")[4];
    if (target !== undefined && /^cgroup2? /.test(after)) mounts.add(target);
  }
  return [...mounts].sort();
}

/** A cgroup directory and all below it, the deepest first; none when it does not exist. */
export async function cgroupTree(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(ignoreGone);
  const below = entries.filter((entry) => entry.isDirectory()).map((entry) => cgroupTree(join(directory, entry.name)));
  const trees = (await Promise.all(below)).flat();
  return entries.length === 0 ? trees : [...trees, directory];
}

/**
 * Removes a cgroup and those below it from every hierarchy. Their processes must be dying: waits up to five seconds until
 * the kernel has let go of them.
 */
export async function removeCgroups(name: string): Promise<void> {
  for (const mount of await cgroupMounts())
    for (const directory of await cgroupTree(join(mount, name))) await removeEmpty(directory);
}

/** Lets frozen processes below a cgroup go on: on v1 they do not even die before. */
export async function thawCgroups(name: string): Promise<void> {
  for (const mount of await cgroupMounts())
    for (const directory of await cgroupTree(join(mount, name)))
      // Only the freezer has this file.
      await writeFile(join(directory, "freezer.state"), "THAWED", { flag: "r+" }).catch(() => undefined);
}

async function removeEmpty(directory: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await rmdir(directory);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") return;
      if (code !== "EBUSY" || attempt === 250) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

function ignoreGone(error: NodeJS.ErrnoException): never[] {
  if (error.code === "ENOENT" || error.code === "ENODEV") return [];
  throw error;
}
