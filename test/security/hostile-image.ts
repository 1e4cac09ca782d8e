/** Images as an attacker makes them, written as the files of a registry. */
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { mustHere } from "../support/process.ts";
import { tar, type Entry } from "./tar.ts";

/** Fields of an image's configuration, by the names that they have there. */
interface ImageConfig {
  readonly User?: string;
  readonly Env?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly WorkingDir?: string;
  readonly Volumes?: Readonly<Record<string, object>>;
}

export interface ImageOptions {
  /** Layers upon the base: lists of entries, or bytes that are served as they are. */
  readonly layers?: readonly (readonly Entry[] | Uint8Array)[];
  readonly config?: ImageConfig;
  /** Entries of the base layer that are left out, e.g. `/^etc/`. */
  readonly without?: RegExp;
  /** Changes the manifest. */
  readonly manifest?: (manifest: Manifest) => object;
}

export interface Manifest {
  readonly layers: readonly { readonly mediaType: string; readonly digest: string; readonly size: number }[];
}

const type = "application/vnd.oci.image";
export const sha256 = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");

let baseEntries: readonly Entry[] | undefined;

/** Busybox under the names of its applets, accounts, and the usual directories. */
async function base(): Promise<readonly Entry[]> {
  if (baseEntries !== undefined) return baseEntries;
  const directories = ["bin", "dev", "etc", "proc", "sys", "run", "tmp", "root"];
  const applets = (await mustHere(["busybox", "--list"])).split("\n").filter((name) => name !== "busybox");
  baseEntries = [
    ...directories.map((path): Entry => ({ path, type: "directory", mode: path === "tmp" ? 0o1777 : 0o755 })),
    { path: "bin/busybox", mode: 0o755, content: await readFile("/bin/busybox") },
    ...applets.map((name): Entry => ({ path: `bin/${name}`, type: "hardlink", link: "bin/busybox" })),
    { path: "etc/passwd", content: "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/:/bin/sh\n" },
    { path: "etc/group", content: "root:x:0:\napp:x:1000:\nstaff:x:50:app\naudio:x:29:app\n" },
  ];
  return baseEntries;
}

/** Writes an image's blobs to a directory, by their digests, and its manifest as tag `1` too. */
export async function writeImage(directory: string, options: ImageOptions): Promise<void> {
  await mkdir(directory, { recursive: true });
  const store = async (mediaType: string, data: Uint8Array) => {
    const digest = sha256(data);
    await writeFile(join(directory, `sha256-${digest}`), data);
    return { mediaType, digest: `sha256:${digest}`, size: data.length };
  };
  const { without = /^$/ } = options;
  const first = (await base()).filter(({ path }) => !without.test(path));
  const layers = [];
  const ids = [];
  for (const layer of [first, ...(options.layers ?? [])]) {
    const raw = layer instanceof Uint8Array;
    const data = raw ? layer : tar(layer);
    ids.push(`sha256:${sha256(data)}`);
    layers.push(await store(`${type}.layer.v1.tar${raw ? "" : "+gzip"}`, raw ? data : gzipSync(data, { level: 1 })));
  }
  const config = {
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    os: "linux",
    config: { Env: ["PATH=/bin"], Cmd: ["sh"], ...options.config },
    rootfs: { type: "layers", diff_ids: ids },
  };
  const mediaType = `${type}.manifest.v1+json`;
  const stored = await store(`${type}.config.v1+json`, Buffer.from(JSON.stringify(config)));
  const manifest = { schemaVersion: 2, mediaType, config: stored, layers };
  const bytes = Buffer.from(JSON.stringify(options.manifest?.(manifest) ?? manifest));
  await store(mediaType, bytes);
  await writeFile(join(directory, "1"), bytes);
}
