/** The image that `pull.ts` pulls: a Debian userland with nginx, redis, Python and a compiler, in four layers. */
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { testImage } from "../support/images.ts";
import { Layout } from "../support/layout.ts";
import { mustHere } from "../support/process.ts";

const packages = "nginx-light,redis-server,python3,build-essential,git,perl,curl,vim,gdb";
/** What goes into each layer, below the root; the first one is all the rest. */
const parts: readonly (readonly string[])[] = [
  ["usr/share"],
  ["usr/lib/gcc", "usr/libexec", "usr/lib/python3", "usr/lib/python3.11", "usr/lib/python3.13"],
  ["usr/bin", "usr/sbin"],
];

/**
 * Makes the image once.
 *
 * @returns the layout's directory, with the tags `gzip` and `zstd`
 */
export async function pullImage(directory: string): Promise<string> {
  const layout = join(directory, "layout");
  if (existsSync(layout)) return layout;
  const unfinished = join(directory, `unfinished-${process.pid}`);
  await mkdir(unfinished, { recursive: true });
  try {
    const root = join(unfinished, "root");
    await bootstrap(root);
    const made = join(unfinished, "layout");
    await mustHere(["umoci", "init", "--layout", made]);
    await mustHere(["umoci", "new", "--image", `${made}:gzip`]);
    for (const [index, layer] of layersOf(await readdir(join(root, "usr/lib"))).entries()) {
      const file = join(unfinished, `${index}.tar`);
      await mustHere(["tar", "--create", "--file", file, "--directory", root, "--numeric-owner", ...layer]);
      await mustHere(["umoci", "raw", "add-layer", "--image", `${made}:gzip`, file]);
      await rm(file);
    }
    await mustHere(["umoci", "config", "--image", `${made}:gzip`, "--config.cmd", "/bin/true"]);
    await new Layout(made).recompress("gzip", "zstd", "zstd");
    await rename(made, layout);
    return layout;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** The tests' userland in its three layers, where a fifth of the size is enough to look at something. */
export async function smallImage(directory: string): Promise<string> {
  const layout = join(directory, "layout");
  if (existsSync(layout)) return layout;
  const unfinished = join(directory, `unfinished-${process.pid}`);
  await mkdir(unfinished, { recursive: true });
  const copy = ["skopeo", "--insecure-policy", "copy", "--quiet", "--preserve-digests"];
  await mustHere([...copy, await testImage("redis"), `oci:${unfinished}:gzip`]);
  await new Layout(unfinished).recompress("gzip", "zstd", "zstd");
  await rename(unfinished, layout);
  return layout;
}

async function bootstrap(root: string): Promise<void> {
  const release = await readFile("/etc/os-release", "utf8");
  const suite = /^VERSION_CODENAME=(\S+)$/m.exec(release)?.[1] ?? "stable";
  const more = (await readdir("/etc/apt/sources.list.d")).map((name) => join("/etc/apt/sources.list.d", name));
  const sources = ["/etc/apt/sources.list", ...more].filter(
    (path) => /\.(?:list|sources)$/.test(path) && existsSync(path),
  );
  const options = ["--quiet", "--mode=root", "--variant=minbase", "--format=directory", `--include=${packages}`];
  await mustHere(["mmdebstrap", ...options, suite, root, ...sources]);
  for (const name of ["var/lib/apt/lists", "var/cache/apt"]) await rm(join(root, name), { recursive: true });
}

/** Arguments of tar for each layer. */
function layersOf(libraries: readonly string[]): readonly (readonly string[])[] {
  const known = parts.map((names) =>
    names.filter((name) => !name.startsWith("usr/lib/") || libraries.includes(name.slice("usr/lib/".length))),
  );
  const excluded = known.flat().map((name) => `--exclude=./${name}`);
  return [[...excluded, "."], ...known.map((names) => names.map((name) => `./${name}`))];
}
