/** What the tests of published vulnerabilities share: a host, images that an attacker made, and programs in C. */
import { access, mkdir, readdir, readFile, readlink, lstat, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { checkout, pinnedNode } from "../support/checkout.ts";
import { mustHere, type CommandResult } from "../support/process.ts";
import { TestHost, type RunOptions } from "../support/testhost.ts";
import { sha256, writeImage, type ImageOptions } from "./hostile-image.ts";

export type { Manifest } from "./hostile-image.ts";
export type { Entry } from "./tar.ts";

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

  /** With a host that somebody else disposes of. */
  static within(host: TestHost): Lab {
    return new Lab(host);
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
    await writeImage(join(this.#served, name), options);
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
