/**
 * Nothing is lost: the daemon is killed at random moments while containers are made, write, end and are removed. Afterwards
 * each that ran still runs, each line of output is there once, each exit status is known, and nothing is left over.
 * `SAMPAN_KILLS` says how often (20 by default).
 */
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { connect, type EngineClient } from "#client";
import { isSampanError } from "#errdefs";
import { TestDaemon } from "../support/daemon.ts";
import { expectUnchanged, HostState, type HostSnapshot } from "../support/snapshot-host.ts";
import { eventually, StockedHost } from "../support/stocked-host.ts";

const kills = Number(process.env["SAMPAN_KILLS"] ?? 20);
const seed = Number(process.env["SAMPAN_SEED"] ?? Date.now() % 1_000_000);

let stocked: StockedHost;
let before: HostSnapshot;
/** Databases, directories that are made once, caches, and what a killed daemon leaves for the next. */
const ignore = [
  /^root\/(metadata|shared)\.db/,
  /^root\/(cache|leases|namespaces)(\/|$)/,
  /^root\/volumes$/,
  /^state\/(containers|root|booted|daemon\.json|sampan\.sock|events)/,
];
beforeAll(async () => {
  stocked = await StockedHost.create(["busybox"]);
  await stocked.mustShell(["--network", "none"], "true");
  before = await HostState.capture(stocked.host, { ignore });
});
afterAll(async () => await stocked[Symbol.asyncDispose]());

/** A generator of numbers from 0 to 1 that a seed repeats (mulberry32). */
function random(from: number): () => number {
  let state = from >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Makes, lets end and removes containers for as long as the daemon answers. */
async function churn(client: EngineClient, name: string): Promise<void> {
  try {
    for (let i = 0; ; i += 1) {
      const container = await client.create({
        image: stocked.image("busybox"),
        command: ["sh", "-c", `echo ${name}; exit 7`],
        network: "none",
        name: `${name}-${i}`,
      });
      await container.start();
      expect((await container.wait()).status).toBe(7);
      await container.remove();
    }
  } catch (error) {
    // The daemon is gone.
    if (!isSampanError(error, "unavailable") && !isSampanError(error, "cancelled")) throw error;
  }
}

it(
  `the daemon is SIGKILLed ${kills} times (seed ${seed}), and nothing is lost`,
  { timeout: 60_000 + kills * 30_000 },
  async () => {
    const next = random(seed);
    const unfinished = join(stocked.host.root, "snapshots", "tmp");
    mkdirSync(join(unfinished, "0-0-planted", "fs"), { recursive: true });
    let daemon = await TestDaemon.start(stocked.host);
    {
      await using client = await connect({ host: daemon.socket });
      const writer = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done";
      for (const [name, script] of [
        ["writes", writer],
        ["ends", "read x; exit 42"],
        ["waits", "sleep 100000"],
      ] as const)
        await (
          await client.create({
            image: stocked.image("busybox"),
            command: ["sh", "-c", script],
            network: "none",
            name,
            openStdin: true,
          })
        ).start();
    }
    const pids = async (): Promise<readonly (readonly [string, number])[]> => {
      await using client = await connect({ host: daemon.socket });
      const list = await client.list();
      return list
        .filter(({ name }) => name === "writes" || name === "waits")
        .map(({ name, state }): readonly [string, number] => [name, state.status === "running" ? state.pid : 0])
        .toSorted(([a], [b]) => a.localeCompare(b));
    };
    const first = await pids();
    expect(first.every(([, pid]) => pid > 0)).toBe(true);

    for (let kill = 0; kill < kills; kill += 1) {
      await using client = await connect({ host: daemon.socket });
      const churning = [0, 1].map((i) => churn(client, `k${kill}-${i}`));
      await sleep(next() * 400);
      await daemon.process.signal("SIGKILL");
      await daemon.process.exited;
      await Promise.all(churning);
      if (kill === Math.floor(kills / 2)) {
        // It ends while there is no daemon.
        const direct = await stocked.host.run([`${process.cwd()}/sampan`, "--host", "none", "attach", "ends"], {
          input: "x\n",
        });
        expect(direct.code).toBe(42);
      }
      daemon = await TestDaemon.start(stocked.host);
    }

    expect(await pids()).toStrictEqual(first);
    await using client = await connect({ host: daemon.socket });
    expect((await (await client.get("ends")).wait()).status).toBe(42);
    const writes = await client.get("writes");
    await writes.stop({ timeout: 0 });
    const lines: number[] = [];
    for await (const { text } of writes.logs()) lines.push(Number(Buffer.from(text).toString()));
    expect(lines.length).toBeGreaterThan(kills);
    expect(lines).toStrictEqual(lines.map((_, i) => i + 1));
    // What was made and not yet let go, or was being removed, has been undone or finished; what ran has ended as it should.
    for (const { name, state } of await client.list()) {
      if (name.startsWith("k"))
        expect([name, state.status === "stopped" ? state.exit.status : state.status]).toStrictEqual([
          name,
          state.status === "none" ? "none" : 7,
        ]);
      await client.remove(name, { force: true, volumes: true });
    }
    expect(await client.list()).toStrictEqual([]);
    // Each daemon removes what the one before it was about to.
    await eventually("no unfinished snapshot", () => Promise.resolve(readdirSync(unfinished).length === 0));
    await daemon[Symbol.asyncDispose]();
    await eventually("a quiet host", async () => (await stocked.host.processes()).length === 1);
    expectUnchanged(before, await HostState.capture(stocked.host, { ignore }));
  },
);
