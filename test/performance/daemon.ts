/** A daemon, by its client over the socket: four calls a container; and `exec`. Says on stderr what the daemon takes of memory. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type EngineClient } from "../../src/api/native/client/index.ts";
import { checkout, pinnedNode } from "../support/checkout.ts";
import { rowLength, type Place, type Prepare } from "./subject.ts";

const warmUp = 40;

interface Served extends AsyncDisposable {
  readonly client: EngineClient;
  readonly pid: number;
}

async function startDaemon(): Promise<Served> {
  const state = process.env["SAMPAN_STATE"] ?? "/run/sampan";
  const child = spawn(pinnedNode, [join(checkout, "dist", "sampan.cjs"), "daemon", "--log-level", "warn"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  while (!existsSync(join(state, "daemon.json"))) {
    if (child.exitCode !== null) throw new Error("Cannot measure the daemon: it does not start");
    await sleep(20);
  }
  const client = await connect({ host: join(state, "sampan.sock") });
  return {
    client,
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      process.stderr.write(`daemon: ${Math.round(pss(child.pid ?? 0) / 1e6)} MB PSS\n`);
      await client[Symbol.asyncDispose]();
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** Proportional set size of a process in bytes. */
function pss(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1]) * 1024;
}

async function rows(gap: number, one: () => Promise<void>): Promise<readonly number[]> {
  const samples: number[] = [];
  for (let i = 0; i <= rowLength(gap); i++) {
    if (gap > 0) await sleep(gap);
    const started = performance.now();
    await one();
    samples.push(performance.now() - started);
  }
  // As with the floor, the first one of a row does not count.
  return samples.slice(1);
}

export const sampanDaemon: Prepare = async (place: Place) => {
  const served = await startDaemon();
  const { client } = served;
  await client.pull(place.reference);
  const one = async (): Promise<void> => {
    const container = await client.create({ image: place.reference, command: ["true"], network: "none" });
    await container.start();
    const { status } = await container.wait();
    await container.remove();
    if (status !== 0) throw new Error(`Cannot run "true": exit status ${status}`);
  };
  for (let i = 0; i < warmUp; i++) await one();
  return {
    name: "Sampan, daemon",
    sample: async (gap) => rows(gap, one),
    [Symbol.asyncDispose]: async () => served[Symbol.asyncDispose](),
  };
};
