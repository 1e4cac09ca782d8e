import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { librariesOf } from "./libraries.ts";
import type { TarEntry } from "./tar-writer.ts";

/** A built-in image, described: what is in its one layer, and how it runs. */
export interface BuiltinImage {
  readonly entries: readonly TarEntry[];
  /** Seconds since the epoch; when its program was built or installed. */
  readonly modified: number;
  readonly config: {
    readonly Env: readonly string[];
    readonly Entrypoint: readonly string[];
    readonly WorkingDir: string;
    readonly Labels: Readonly<Record<string, string>>;
  };
  /** Host files that it was made from. */
  readonly sources: readonly string[];
}

const program = "usr/local/bin/node";
const certificates = "/etc/ssl/certs/ca-certificates.crt";
const files: readonly (readonly [path: string, content: string])[] = [
  [
    "etc/passwd",
    "root:x:0:0:root:/root:/sbin/nologin\nnode:x:1000:1000:node:/home/node:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n",
  ],
  ["etc/group", "root:x:0:\nnode:x:1000:\nnogroup:x:65534:\n"],
  ["etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"],
];

/** The Node that `localhost/node` has: the one that the package pins, or else the one that runs this. */
export function pinnedNode(): { readonly path: string; readonly version: string } {
  const running = { path: process.execPath, version: process.versions.node };
  const name = `node-linux-${process.arch}`;
  if (running.path.endsWith(`/${name}/bin/node`)) return running;
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
    const path = join(dirname(manifest), "bin/node");
    const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
    return existsSync(path) ? { path, version } : running;
  } catch {
    // Not installed next to this.
    return running;
  }
}

/**
 * Node with the libraries that it links to, users root and node (1000), and the host's certificate authorities.
 *
 * @throws SampanError `not-found` when a library is missing, `unsupported` when the binary is none
 */
export function nodeImage(binary: string, version: string): BuiltinImage {
  const libraries = librariesOf(binary);
  const authorities = existsSync(certificates) ? [certificates] : [];
  const copies: TarEntry[] = [
    copy(binary, program, 0o755),
    ...libraries.map((path) => copy(path, path.slice(1), 0o755)),
    ...authorities.map((path) => copy(path, path.slice(1), 0o644)),
  ];
  const written: TarEntry[] = files.map(([path, content]) => ({
    kind: "bytes",
    path,
    mode: 0o644,
    bytes: Buffer.from(content),
  }));
  const parents = new Set(["dev", "etc", "home", "proc", "sys", "var"]);
  for (const { path } of copies) {
    for (let parent = dirname(path); parent !== "."; parent = dirname(parent)) parents.add(parent);
  }
  const directories: TarEntry[] = [...parents].sort().map((path) => ({ kind: "directory", path, mode: 0o755 }));
  return {
    entries: [
      ...directories,
      { kind: "directory", path: "root", mode: 0o700 },
      { kind: "directory", path: "home/node", mode: 0o755, owner: 1000 },
      { kind: "directory", path: "tmp", mode: 0o1777 },
      { kind: "directory", path: "var/tmp", mode: 0o1777 },
      ...written,
      ...copies,
    ],
    modified: Math.max(0, Math.floor(statSync(binary).mtimeMs / 1000)),
    config: {
      Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", `NODE_VERSION=${version}`],
      Entrypoint: ["node"],
      WorkingDir: "/",
      Labels: { "org.opencontainers.image.title": "node", "org.opencontainers.image.version": version },
    },
    sources: [binary, ...libraries, ...authorities],
  };
}

function copy(source: string, path: string, mode: number): TarEntry {
  const real = realpathSync(source);
  return { kind: "file", path, mode, source: real, size: statSync(real).size };
}
