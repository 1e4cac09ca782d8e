/** A test host with bundles, for `sampan-oci` and the engines that call it. */
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { checkout } from "./checkout.ts";
import { testImage } from "./images.ts";
import { mustHere, type CommandResult } from "./process.ts";
import { TestHost, type RunOptions } from "./testhost.ts";

export const ociProgram = process.env["SAMPAN_TEST_RUNTIME"] ?? join(checkout, "sampan-oci");

/** As much of a config.json as tests change. */
export interface BundleConfig {
  process: {
    terminal: boolean;
    args: string[];
    env: string[];
    cwd: string;
    user: Record<string, unknown>;
    [name: string]: unknown;
  };
  root: { path: string; readonly: boolean };
  hostname?: string;
  mounts: { destination: string; type?: string; source?: string; options?: string[]; [name: string]: unknown }[];
  linux: { namespaces: { type: string; path?: string }[]; cgroupsPath?: string; [name: string]: unknown };
  hooks?: Record<string, { path: string; args?: string[]; env?: string[]; timeout?: number }[]>;
  annotations?: Record<string, string>;
  [name: string]: unknown;
}

export class OciHost implements AsyncDisposable {
  readonly host: TestHost;
  /** Root directory of busybox; bundles share it unless they ask for their own. */
  readonly rootfs: string;
  /** `--root` of sampan-oci. */
  readonly state: string;

  private constructor(host: TestHost, rootfs: string) {
    this.host = host;
    this.rootfs = rootfs;
    this.state = join(host.directory, "oci");
  }

  static async create(): Promise<OciHost> {
    const host = await TestHost.create();
    try {
      const image = await testImage("busybox");
      const unpacked = join(host.files, "image");
      await mustHere(["umoci", "unpack", "--image", image.replace(/^oci:/, ""), unpacked]);
      return new OciHost(host, join(unpacked, "rootfs"));
    } catch (error) {
      await host[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Runs sampan-oci with the host's own state. */
  async oci(args: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    return await this.host.run([ociProgram, "--root", this.state, ...args], options);
  }

  /** Like {@link oci}, for what must succeed; gives stdout. */
  async must(args: readonly string[], options: RunOptions = {}): Promise<string> {
    return await this.host.must([ociProgram, "--root", this.state, ...args], options);
  }

  /**
   * Like {@link oci}, for what leaves a container behind: that keeps the streams it was given, so that they must not be ours.
   * stdout is thrown away.
   */
  async detached(args: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    const errors = join(this.host.files, `stderr-${Math.random().toString(36).slice(2)}`);
    const script = `exec "$@" < /dev/null > /dev/null 2> ${errors}`;
    const result = await this.host.run(["sh", "-c", script, "sh", ociProgram, "--root", this.state, ...args], options);
    return { ...result, stderr: await readFile(errors, "utf8") };
  }

  /** Like {@link detached}, for what must succeed. */
  async mustDetach(args: readonly string[]): Promise<void> {
    const { code, stderr } = await this.detached(args);
    if (code !== 0) throw new Error(`Cannot run sampan-oci ${args.join(" ")}: exit code ${code}\n${stderr}`);
  }

  async stateOf(id: string): Promise<{ status: string; pid: number; [name: string]: unknown }> {
    return JSON.parse(await this.must(["state", id])) as { status: string; pid: number };
  }

  /**
   * Makes a bundle of what `sampan-oci spec` writes, without a terminal.
   *
   * @param change edits the config
   * @param options.ownRoot a copy of the root filesystem, for tests that change it
   * @returns its directory
   */
  async bundle(
    name: string,
    change: (config: BundleConfig) => void = () => undefined,
    options: { readonly ownRoot?: boolean } = {},
  ): Promise<string> {
    const directory = join(this.host.files, name);
    await mkdir(directory, { recursive: true });
    const file = join(directory, "config.json");
    await rm(file, { force: true });
    await this.must(["spec", "--bundle", directory]);
    const config = JSON.parse(await readFile(file, "utf8")) as BundleConfig;
    config.process.terminal = false;
    config.root.path = this.rootfs;
    if (options.ownRoot === true) {
      config.root.path = join(directory, "rootfs");
      await cp(this.rootfs, config.root.path, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
    }
    config.linux.cgroupsPath = `${this.host.cgroupParent}/${name}`;
    change(config);
    await writeFile(file, JSON.stringify(config));
    return directory;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host[Symbol.asyncDispose]();
  }
}
