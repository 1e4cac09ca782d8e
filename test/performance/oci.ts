/** sampan-oci beside crun and runc: the runtime layer in this process, warm, and the command. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { probeHost } from "../../src/host/index.ts";
import { KeelExecutor, type MonitorClient } from "../../src/keel/index.ts";
import { execInContainer, OciRuntime, readBundle } from "../../src/runtime/index.ts";
import { checkout, pinnedNode } from "../support/checkout.ts";
import { changeConfig, configure, execSubject } from "./peers-oci.ts";
import { command, rowLength, run, type Place, type Prepare, type Subject } from "./subject.ts";

const warmUp = 40;

export async function makeBundle(place: Place, name: string): Promise<string> {
  const directory = join(place.directory, name);
  await mkdir(directory);
  await run(join(checkout, "sampan-oci"), ["spec", "--bundle", directory]);
  await configure(directory, place, name);
  return directory;
}

/** The runtime layer in this process. */
export class WarmRuntime implements AsyncDisposable {
  readonly #executor = new KeelExecutor({ inheritStdio: true });
  readonly runtime: OciRuntime;

  constructor(root: string) {
    const warn = (): void => undefined;
    this.runtime = new OciRuntime({ root, executor: this.#executor, facts: probeHost(), warn });
  }

  /** From reading the bundle to the last trace removed. */
  async run(id: string, directory: string): Promise<void> {
    const monitor = await this.create(id, directory);
    using client = monitor;
    const exited = client.wait();
    await this.runtime.start(id, client);
    const { status } = await exited;
    await this.runtime.delete(id, { force: false });
    if (status !== 0) throw new Error(`Cannot run "true": exit status ${status}`);
  }

  async create(id: string, directory: string): Promise<MonitorClient> {
    const options = { consoleSocket: "", pidfdSocket: "", pidFile: "", preserve: 0, noPivot: false, newKeyring: true };
    const monitor = await this.runtime.create(id, { bundle: readBundle(directory), ...options, foreground: true });
    if (monitor === undefined) throw new Error("Cannot measure: there is no monitor");
    return monitor;
  }

  async exec(id: string): Promise<void> {
    const container = this.runtime.get(id);
    const { process } = this.runtime.config(container);
    if (process === undefined) throw new Error("Cannot measure: the container has no process");
    const session = await execInContainer(this.runtime, container, {
      process: { ...process, args: ["/bin/true"] },
      ...{
        detach: false,
        consoleSocket: "",
        pidfdSocket: "",
        pidFile: "",
        preserve: 0,
        ignorePaused: false,
        cgroups: [],
      },
    });
    if (session === undefined) throw new Error("Cannot measure: there is no monitor");
    using open = session;
    const exited = open.monitor.wait();
    await open.monitor.start(open.program);
    const { status } = await exited;
    if (status !== 0) throw new Error(`Cannot exec "true": exit status ${status}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#executor[Symbol.asyncDispose]();
  }
}

/** Something that is done in this process, in rows. */
function inProcess(name: string, one: (serial: number) => Promise<void>, close: () => Promise<void>): Subject {
  return {
    name,
    async sample(gap) {
      const samples: number[] = [];
      for (let i = 0; i <= rowLength(gap); i++) {
        if (gap > 0) await sleep(gap);
        const started = performance.now();
        await one(i);
        samples.push(performance.now() - started);
      }
      // As with the floor, the first one of a row does not count.
      return samples.slice(1);
    },
    [Symbol.asyncDispose]: close,
  };
}

export const ociLibrary: Prepare = async (place) => {
  const directory = await makeBundle(place, "oci-library");
  const warm = new WarmRuntime("/run/oci-library");
  for (let i = 0; i < warmUp; i++) await warm.run(`warm-${i}`, directory);
  const run = async (serial: number): Promise<void> => await warm.run(`run-${serial}`, directory);
  return inProcess("Sampan, OCI runtime layer: run", run, async () => await warm[Symbol.asyncDispose]());
};

export const ociLibraryExec: Prepare = async (place) => {
  const directory = await makeBundle(place, "oci-library-exec");
  await changeConfig(directory, (spec) => (spec.process.args = ["/bin/sleep", "100000"]));
  const warm = new WarmRuntime("/run/oci-library-exec");
  const client = await warm.create("bench-exec", directory);
  await warm.runtime.start("bench-exec", client);
  for (let i = 0; i < warmUp; i++) await warm.exec("bench-exec");
  return inProcess(
    "Sampan, OCI runtime layer: exec",
    async () => await warm.exec("bench-exec"),
    async () => {
      client.close();
      await warm.runtime.delete("bench-exec", { force: true });
      await warm[Symbol.asyncDispose]();
    },
  );
};

export const ociCommand: Prepare = async (place) => {
  const directory = await makeBundle(place, "oci-command");
  const program = [join(checkout, "sampan-oci"), "--root", "/run/oci-command", "run", "--bundle", directory];
  return command(place, "sampan-oci run", (serial) => [...program, `bench-${serial}`]);
};

export const ociCommandExec: Prepare = async (place) => {
  const directory = await makeBundle(place, "oci-command-exec");
  return await execSubject(place, "sampan-oci exec", join(checkout, "sampan-oci"), "/run/oci-command", directory);
};

/** What any program of Node costs at least. */
export const bareNode: Prepare = async (place) => {
  await Promise.resolve();
  return command(place, "node, an empty script", () => [pinnedNode, "-e", "0"]);
};
