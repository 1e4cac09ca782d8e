/** Sampan: the library in this process, warm, and `./sampan` as a command. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Engine, type ContainerSummary } from "../../src/engine/index.ts";
import { checkout } from "../support/checkout.ts";
import { command, rowLength, run, type Place, type Prepare } from "./subject.ts";

/** Containers before the first sample: a process that runs containers has run some, and its code is compiled. */
const warmUp = 40;

export const sampanLibrary: Prepare = async (place) => {
  const engine = await Engine.open();
  await engine.pull(place.reference);
  const one = async (): Promise<void> => {
    const container = await engine.create({ image: place.reference, command: ["true"], network: "none" });
    await container.start();
    const { status } = await container.wait();
    await container.remove();
    if (status !== 0) throw new Error(`Cannot run "true": exit status ${status}`);
  };
  for (let i = 0; i < warmUp; i++) await one();
  return {
    name: "Sampan, library",
    async sample(gap) {
      const samples: number[] = [];
      for (let i = 0; i <= rowLength(gap); i++) {
        if (gap > 0) await sleep(gap);
        const started = performance.now();
        await one();
        samples.push(performance.now() - started);
      }
      // As with the floor, the first one of a row does not count.
      return samples.slice(1);
    },
    async [Symbol.asyncDispose]() {
      await engine[Symbol.asyncDispose]();
    },
  };
};

export const sampanCommand: Prepare = async (place) => {
  const program = join(checkout, "sampan");
  await run(program, ["pull", place.reference]);
  const argv = [program, "run", "--rm", "--network", "none", place.reference, "true"];
  return command(place, "sampan run", () => argv);
};

/**
 * Memory of the processes that stay with running containers.
 *
 * @param count containers to run for it
 * @returns mean PSS of a container's monitor, in bytes
 */
export async function monitorPss(place: Place, count: number): Promise<number> {
  await using engine = await Engine.open();
  await using containers = new AsyncDisposableStack();
  for (let i = 0; i < count; i++)
    containers.use(await engine.run(place.reference, ["sleep", "1000"], { network: "none" }));
  const monitors = await Promise.all(engine.list().map(({ state }) => monitorOf(state)));
  if (monitors.length !== count) throw new Error(`Cannot measure monitors: ${monitors.length} containers of ${count}`);
  const sizes = await Promise.all(monitors.map(pss));
  return sizes.reduce((sum, bytes) => sum + bytes, 0) / count;
}

/** Process number of the parent of a container's first process. */
async function monitorOf(state: ContainerSummary["state"]): Promise<number> {
  if (state.status !== "running") throw new Error(`Cannot measure a monitor: its container is ${state.status}`);
  return Number(/^PPid:\s+(\d+)$/m.exec(await readFile(`/proc/${state.pid}/status`, "utf8"))?.[1]);
}

/** Proportional set size of a process in bytes (proc_pid_smaps_rollup(5)). */
async function pss(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1]) * 1024;
}
