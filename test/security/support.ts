/** What the tests of published vulnerabilities share: a host, images that an attacker made, and programs in C. */
import { createHash } from "node:crypto";
import { access, mkdir, readdir, readFile, readlink, lstat, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { checkout, pinnedNode } from "../support/checkout.ts";
import { mustHere, type CommandResult } from "../support/process.ts";
import { TestHost, type RunOptions } from "../support/testhost.ts";
import { tar, type Entry } from "./tar.ts";

export type { Entry } from "./tar.ts";

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
const sha256 = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");

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

/** A test host with a registry of hostile images. */
export class Lab implements AsyncDisposable {
  readonly host: TestHost;
  #address: Promise<string> | undefined;

  private constructor(host: TestHost) {
    this.host = host;
  }

  static async create(): Promise<Lab> {
    return new Lab(await TestHost.create());
  }

  /** Directory that the images are served from, as `<repository>/<tag or digest>`. */
  get #served(): string {
    return join(this.host.files, "served");
  }

  /** Address of the registry, `127.0.0.1:<port>`. */
  async address(): Promise<string> {
    return await (this.#address ??= this.serve());
  }

  /** Starts another server of the same images. */
  async serve(account?: string): Promise<string> {
    const main = fileURLToPath(new URL("image-server.ts", import.meta.url));
    const child = this.host.spawn([pinnedNode, main, this.#served, ...(account === undefined ? [] : [account])]);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const { value } = await lines.next();
    if (value === undefined) throw new Error("Cannot start the server of images");
    return `127.0.0.1:${value}`;
  }

  /**
   * Makes an image and serves it. It is not pulled.
   *
   * @returns its reference
   */
  async image(name: string, options: ImageOptions = {}): Promise<string> {
    const directory = join(this.#served, name);
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
    return `${await this.address()}/${name}:1`;
  }

  /** `sampan run --rm FLAGS IMAGE COMMAND`. */
  async run(
    flags: readonly string[],
    image: string,
    command: readonly string[],
    options: RunOptions = {},
  ): Promise<CommandResult> {
    return await this.host.sampan(["run", "--rm", ...flags, image, ...command], options);
  }

  /** `sampan run --rm FLAGS IMAGE sh -c SCRIPT`, which must succeed; resolves with its output without the last newline. */
  async shell(flags: readonly string[], image: string, script: string, options: RunOptions = {}): Promise<string> {
    return must(await this.run(flags, image, ["sh", "-c", script], options), script);
  }

  /** Starts `sampan run -d FLAGS IMAGE COMMAND`; resolves with the id. */
  async start(flags: readonly string[], image: string, command: readonly string[] = ["sleep", "300"]): Promise<string> {
    return must(await this.host.sampan(["run", "-d", ...flags, image, ...command]), "run -d");
  }

  /** Runs a module that uses the library, which must succeed; resolves with the JSON that it printed. */
  async library<T>(source: string, options: RunOptions = {}): Promise<T> {
    return JSON.parse(must(await this.host.node(source, options), "the library")) as T;
  }

  /** A directory outside of every container with a secret file, for attacks to aim at. */
  async outside(name = "outside"): Promise<string> {
    const directory = join(this.host.files, name);
    await mkdir(join(directory, "sub"), { recursive: true });
    await writeFile(join(directory, "secret"), "secret of the host\n", { mode: 0o600 });
    await writeFile(join(directory, "sub/file"), "file of the host\n", { mode: 0o640 });
    return directory;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host[Symbol.asyncDispose]();
  }
}

function must({ code, stdout, stderr }: CommandResult, what: string): string {
  if (code !== 0) throw new Error(`Cannot run "${what}": exit code ${code}\n${stdout}${stderr}`);
  return stdout.replace(/\n$/, "");
}

/** All that can be changed of a directory's tree, one line each; times of change tell of what was undone, too. */
export async function treeState(directory: string): Promise<readonly string[]> {
  const names = (await readdir(directory, { recursive: true })).sort();
  return await Promise.all(
    ["", ...names].map(async (name) => {
      const path = join(directory, name);
      const s = await lstat(path, { bigint: true });
      const content = s.isFile() ? sha256(await readFile(path)) : s.isSymbolicLink() ? await readlink(path) : "";
      return `${name} ${s.mode.toString(8)} ${s.uid}:${s.gid} ${s.nlink} ${s.ctimeNs} ${content}`;
    }),
  );
}

/**
 * Compiles a static C program.
 *
 * @param flags further ones of gcc, e.g. `-m32`
 * @returns its path
 */
export async function program(name: string, source: string, flags: readonly string[] = []): Promise<string> {
  const directory = join(checkout, "build", "test-programs");
  const path = join(directory, `${name}-${sha256(Buffer.from(source + flags.join(" "))).slice(0, 12)}`);
  if (
    await access(path).then(
      () => true,
      () => false,
    )
  )
    return path;
  await mkdir(directory, { recursive: true });
  const unfinished = `${path}.${process.pid}`;
  await mustHere(["gcc", "-static", "-O1", "-Wall", ...flags, "-x", "c", "-o", unfinished, "-"], { input: source });
  await rename(unfinished, path);
  return path;
}
