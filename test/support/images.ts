/**
 * The tests' images, made once from Debian's packages and kept in `build/test-images`, one OCI layout for each group. A
 * layout is made under another name and renamed when it is complete, so that an interrupted run leaves none half-made.
 *
 * Needs root: the layers hold files of other users, setuid files and file capabilities.
 */
import { createHash } from "node:crypto";
import { access, mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeBusybox } from "./images-busybox.ts";
import { makeDebian } from "./images-debian.ts";
import { checkout } from "./checkout.ts";

/** Image names by group; each is a tag of the group's layout. */
export const groups = {
  /** Small, made in about a second, without a network. */
  busybox: ["busybox", "configured", "layers", "zstd", "uncompressed", "foreign", "multi"],
  /** From the machine's configured Debian mirror, made in about a minute. */
  debian: ["debian", "redis", "nginx"],
} as const;

type Group = keyof typeof groups;
export type ImageName = (typeof groups)[Group][number];

const recipes: Readonly<Record<Group, { readonly file: string; readonly make: (directory: string) => Promise<void> }>> =
  {
    busybox: { file: "images-busybox.ts", make: makeBusybox },
    debian: { file: "images-debian.ts", make: makeDebian },
  };

/**
 * Makes the image if need be.
 *
 * @returns its name for skopeo, `oci:<layout>:<tag>`
 */
export async function testImage(name: ImageName): Promise<string> {
  const group: Group = groups.busybox.some((known) => known === name) ? "busybox" : "debian";
  return `oci:${await makeGroup(group)}:${name}`;
}

/**
 * Makes a group's layout if there is none of the present recipe.
 *
 * @returns the layout's directory
 */
export async function makeGroup(group: Group): Promise<string> {
  const { file, make } = recipes[group];
  const parent = join(checkout, "build", "test-images");
  const source = await readFile(fileURLToPath(new URL(file, import.meta.url)));
  const directory = join(parent, `${group}-${createHash("sha256").update(source).digest("hex").slice(0, 12)}`);
  if (await exists(directory)) return directory;

  const unfinished = `${directory}.${process.pid}`;
  await mkdir(parent, { recursive: true });
  const outdated = (await readdir(parent)).filter((name) => name.startsWith(`${group}-`) && !name.includes("."));
  try {
    await make(unfinished);
    await rename(join(unfinished, "layout"), directory).catch(async (error: unknown) => {
      if (!(await exists(directory))) throw error; // else another process was faster
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  for (const name of outdated) await rm(join(parent, name), { recursive: true });
  return directory;
}

const exists = async (path: string): Promise<boolean> =>
  await access(path).then(
    () => true,
    () => false,
  );
