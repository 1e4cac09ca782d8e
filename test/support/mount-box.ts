/** Containers of a given config, planned and run with a busybox root: for tests of what the kernel makes of a plan. */
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { probeHost } from "#host";
import { keelPath } from "#keel";
import {
  defaultCapabilities,
  defaultMounts,
  defaultNamespaces,
  operationsOf,
  planContainer,
  type HostFacts,
  type Plan,
  type PlanOptions,
} from "#plan";
import { parseRuntimeConfig, type RuntimeConfig } from "#spec";
import { Monitored, parseLog, type Created } from "./monitored.ts";

const applets = "sh cat id grep stat cut mount umount ls sleep readlink touch head wc test mkdir rm mv ln chmod".split(
  " ",
);

/** A user namespace, for `linux` of a config. */
export const ownUsers = {
  namespaces: [...defaultNamespaces, { type: "user" }],
  uidMappings: [{ containerID: 0, hostID: 100_000, size: 65_536 }],
  gidMappings: [{ containerID: 0, hostID: 100_000, size: 65_536 }],
};

export interface PlannedOptions {
  readonly mounts?: readonly object[];
  /** The default mounts, which come first; some may be left out. */
  readonly defaults?: (destination: string) => boolean;
  readonly linux?: object;
  readonly process?: object;
  readonly root?: object;
  /** `planned` without it; empty for none. */
  readonly hostname?: string;
  readonly plan?: Partial<PlanOptions>;
}

export class MountBox implements AsyncDisposable {
  readonly monitored: Monitored;
  readonly facts: HostFacts;
  /** A busybox root, below {@link MountBox.directory}. */
  readonly root: string;

  constructor(keel: string = keelPath()) {
    this.monitored = new Monitored(keel);
    this.facts = probeHost();
    this.root = join(this.directory, "root");
    // Root of a user namespace is an ordinary user on the way to its root directory.
    chmodSync(this.directory, 0o711);
    for (const name of ["bin", "proc", "sys", "dev", "tmp", "etc"])
      mkdirSync(join(this.root, name), { recursive: true });
    copyFileSync("/bin/busybox", join(this.root, "bin/busybox"));
    for (const name of applets) symlinkSync("busybox", join(this.root, "bin", name));
  }

  get directory(): string {
    return this.monitored.directory;
  }

  /** Absolute path below the test's directory. */
  path(...parts: readonly string[]): string {
    return join(this.directory, ...parts);
  }

  /** Makes a directory below the test's directory, with files of given contents; gives its path. */
  make(name: string, files: Readonly<Record<string, string>> = {}): string {
    const path = this.path(name);
    mkdirSync(path, { recursive: true });
    for (const [file, content] of Object.entries(files)) writeFileSync(join(path, file), content);
    return path;
  }

  /** Gives the root to the container of {@link ownUsers}. */
  remap(): void {
    execFileSync("chown", ["-R", "-h", "100000:100000", this.root]);
  }

  config(
    script: string,
    {
      mounts = [],
      defaults = () => true,
      linux = {},
      process = {},
      root = {},
      hostname = "planned",
    }: PlannedOptions = {},
  ): RuntimeConfig {
    const sets = { bounding: defaultCapabilities, effective: defaultCapabilities, permitted: defaultCapabilities };
    return parseRuntimeConfig({
      ociVersion: "1.3.0",
      hostname,
      root: { path: this.root, ...root },
      mounts: [...defaultMounts().filter(({ destination }) => defaults(destination)), ...mounts],
      process: { args: ["sh", "-c", script], env: ["PATH=/bin"], cwd: "/", capabilities: sets, ...process },
      linux: { namespaces: defaultNamespaces, ...linux },
    });
  }

  plan(config: RuntimeConfig, options: Partial<PlanOptions> = {}): Plan {
    return planContainer(config, this.facts, {
      root: { kind: "bind", path: this.root },
      cgroupPath: "/sampan/planned-box",
      bundle: this.directory,
      ...options,
    });
  }

  /** Creates a container and leaves it running. */
  async start(config: RuntimeConfig, options: Partial<PlanOptions> = {}): Promise<Created & { readonly plan: Plan }> {
    const plan = this.plan(config, options);
    const created = await this.monitored.create(operationsOf(plan), { exitProgram: plan.exit, oomFile: plan.oomFile });
    await created.client.start();
    return { ...created, plan };
  }

  /** Runs a shell script to its end; resolves with the lines of its output. */
  async run(script: string, options: PlannedOptions = {}): Promise<readonly string[]> {
    const plan = this.plan(this.config(`{ ${script}\n} 2>&1`, options), options.plan);
    const created = await this.monitored.create(operationsOf(plan), { exitProgram: plan.exit, oomFile: plan.oomFile });
    const ended = created.client.wait();
    await created.client.start();
    await ended;
    return parseLog(created.log).map(({ text }) => text);
  }

  /** What mountinfo says inside of some mount points: `options|propagation|type|superblock options`. */
  async mountinfo(
    points: readonly string[],
    options: PlannedOptions = {},
  ): Promise<Readonly<Record<string, MountLine>>> {
    const lines = await this.run("cat /proc/self/mountinfo", options);
    const found: Record<string, MountLine> = {};
    for (const line of lines) {
      const [before = "", after = ""] = line.split(" - ");
      const [, , , root = "", point = "", flags = "", ...propagation] = before.split(" ");
      const [type = "", source = "", superblock = ""] = after.split(" ");
      if (points.includes(point))
        found[point] = { root, flags, propagation: propagation.join(" "), type, source, superblock };
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.monitored[Symbol.asyncDispose]();
  }
}

export interface MountLine {
  readonly root: string;
  /** The mount's own options, e.g. `rw,nosuid,relatime`. */
  readonly flags: string;
  /** e.g. `shared:7`, `master:3`; empty for a private mount. */
  readonly propagation: string;
  readonly type: string;
  readonly source: string;
  readonly superblock: string;
}
