/** Planned containers with a busybox root: a configuration is planned for this machine, run by keel, and its output read. */
import { chmodSync, copyFileSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { probeHost } from "#host";
import { keelPath } from "#keel";
import {
  defaultCapabilities,
  defaultMaskedPaths,
  defaultMounts,
  defaultNamespaces,
  defaultReadonlyPaths,
  operationsOf,
  planContainer,
  planExec,
  type HostFacts,
  type Plan,
} from "#plan";
import { parseRuntimeConfig, type RuntimeConfig } from "#spec";
import { Monitored, parseLog, type Created } from "./monitored.ts";

export interface Output {
  readonly lines: readonly string[];
  readonly status: number;
}

/** A container whose shell waits, for `exec`. */
export interface Waiting {
  readonly created: Created;
  readonly config: RuntimeConfig;
  readonly plan: Plan;
}

export class PlannedBox implements AsyncDisposable {
  /** May be replaced, to plan for a host that is a little different. */
  facts: HostFacts = probeHost();
  readonly monitored: Monitored;
  readonly root: string;

  /** @param commands of busybox that the root has, beside sh */
  constructor(commands: readonly string[], keel = keelPath()) {
    this.monitored = new Monitored(keel);
    this.root = join(this.monitored.directory, "root");
    // Root of a user namespace is an ordinary user on the way to its root directory.
    chmodSync(this.monitored.directory, 0o711);
    for (const name of ["bin", "proc", "sys", "dev", "tmp"]) mkdirSync(join(this.root, name), { recursive: true });
    copyFileSync("/bin/busybox", join(this.root, "bin/busybox"));
    for (const name of ["sh", "cat", "sleep", ...commands]) symlinkSync("busybox", join(this.root, "bin", name));
  }

  config(script: string, process: object = {}, linux: object = {}, rest: object = {}): RuntimeConfig {
    const sets = { bounding: defaultCapabilities, effective: defaultCapabilities, permitted: defaultCapabilities };
    return parseRuntimeConfig({
      ociVersion: "1.3.0",
      mounts: defaultMounts(),
      process: { args: ["sh", "-c", script], env: ["PATH=/bin"], cwd: "/", capabilities: sets, ...process },
      linux: {
        namespaces: defaultNamespaces,
        maskedPaths: defaultMaskedPaths(this.facts),
        readonlyPaths: defaultReadonlyPaths,
        ...linux,
      },
      ...rest,
    });
  }

  plan(config: RuntimeConfig): Plan {
    return planContainer(config, this.facts, {
      root: { kind: "bind", path: this.root },
      cgroupPath: "/sampan/planned-box",
    });
  }

  async create(config: RuntimeConfig): Promise<Waiting> {
    const plan = this.plan(config);
    const created = await this.monitored.create(operationsOf(plan), {
      terminal: config.process?.terminal ?? false,
      exitProgram: plan.exit,
      oomFile: plan.oomFile,
    });
    return { created, config, plan };
  }

  /** Runs to the end. */
  async run(config: RuntimeConfig): Promise<Output> {
    const { created } = await this.create(config);
    const ended = created.client.wait();
    await created.client.start();
    const { status } = await ended;
    return { lines: parseLog(created.log).map(({ text }) => text.replace(/\r$/, "")), status };
  }

  /** Starts a container that waits. */
  async wait(process: object = {}, linux: object = {}, rest: object = {}): Promise<Waiting> {
    const waiting = await this.create(this.config("while :; do sleep 1; done", process, linux, rest));
    await waiting.created.client.start();
    return waiting;
  }

  /** Runs another process in it to the end. */
  async exec({ created, config, plan }: Waiting, script: string, process: object = {}): Promise<Output> {
    const asked = this.config(script, process).process;
    if (asked === undefined) throw new Error("no process");
    const program = operationsOf(planExec(asked, config, this.facts, plan.cgroupPaths, {}));
    const session = await created.client.exec({ program, terminal: false, openStdin: false, output: true });
    let output = "";
    session.onOutput((_stream, data) => void (output += data.toString()));
    const { status } = await session.exited;
    return { lines: output.split("\n").slice(0, -1), status };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.monitored[Symbol.asyncDispose]();
  }
}
