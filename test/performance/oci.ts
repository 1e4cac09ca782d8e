/** sampan-oci beside crun and runc: the runtime layer in this process, warm, and the command. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { probeHost } from "../../src/host/index.ts";
import { KeelExecutor } from "../../src/keel/index.ts";
import { OciRuntime, readBundle } from "../../src/runtime/index.ts";
import { checkout, pinnedNode } from "../support/checkout.ts";
import { configure } from "./peers-oci.ts";
import { command, run, type Place, type Prepare } from "./subject.ts";

const inARow = 20;
const warmUp = 40;

async function makeBundle(place: Place, name: string): Promise<string> {
  const directory = join(place.directory, name);
  await mkdir(directory);
  await run(join(checkout, "sampan-oci"), ["spec", "--bundle", directory]);
  await configure(directory, place, name);
  return directory;
}

export const ociLibrary: Prepare = async (place) => {
  const directory = await makeBundle(place, "oci-library");
  const executor = new KeelExecutor({ inheritStdio: true });
  const warn = (): void => undefined;
  const runtime = new OciRuntime({ root: "/run/oci-library", executor, facts: probeHost(), warn });
  const options = { consoleSocket: "", pidfdSocket: "", pidFile: "", preserve: 0, noPivot: false, newKeyring: true };
  const one = async (id: string): Promise<void> => {
    const monitor = await runtime.create(id, { bundle: readBundle(directory), ...options, foreground: true });
    if (monitor === undefined) throw new Error("Cannot measure: there is no monitor");
    using client = monitor;
    const exited = client.wait();
    await runtime.start(id, client);
    const { status } = await exited;
    await runtime.delete(id, { force: false });
    if (status !== 0) throw new Error(`Cannot run "true": exit status ${status}`);
  };
  for (let i = 0; i < warmUp; i++) await one(`warm-${i}`);
  return {
    name: "Sampan, OCI runtime layer",
    async sample(gap) {
      const samples: number[] = [];
      for (let i = 0; i <= inARow; i++) {
        if (gap > 0) await sleep(gap);
        const started = performance.now();
        await one(`run-${i}`);
        samples.push(performance.now() - started);
      }
      // As with the floor, the first one of a row does not count.
      return samples.slice(1);
    },
    async [Symbol.asyncDispose]() {
      await executor[Symbol.asyncDispose]();
    },
  };
};

export const ociCommand: Prepare = async (place) => {
  const directory = await makeBundle(place, "oci-command");
  const program = [join(checkout, "sampan-oci"), "--root", "/run/oci-command", "run", "--bundle", directory];
  return command(place, "sampan-oci run", (serial) => [...program, `bench-${serial}`]);
};

/** What any program of Node costs at least. */
export const bareNode: Prepare = async (place) => {
  await Promise.resolve();
  return command(place, "node, an empty script", () => [pinnedNode, "-e", "0"]);
};
