/** Processes that are killed while they change the store, at one step after the other; and many that change it at once. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FaultProxy } from "../support/fault-proxy.ts";
import { checkout, pinnedNode } from "../support/checkout.ts";
import { ImageRoot } from "../support/image-root.ts";
import { testImage } from "../support/images.ts";
import { mustHere } from "../support/process.ts";
import { Registry } from "../support/registry.ts";

let registry: Registry;
let directory = "";
let archive = "";
let name = "";
beforeAll(async () => {
  registry = await Registry.start();
  await registry.push(await testImage("configured"), "app:1", ["--preserve-digests"]);
  name = `${registry.address}/app:1`;
  directory = await mkdtemp("/var/tmp/sampan-crash-");
  archive = join(directory, "archive.tar");
  await mustHere([
    "skopeo",
    "--insecure-policy",
    "copy",
    "-q",
    await testImage("configured"),
    `oci-archive:${archive}:x`,
  ]);
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stderr: string;
}

/** Runs the bundled program on a root directory, as a user does, on this machine: nothing of it makes containers. */
async function sampan(root: ImageRoot, args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const steps = join(checkout, "test/support/kill-steps-main.ts");
  const program = [
    join(checkout, "dist/sampan.cjs"),
    "--root",
    root.directory,
    "--state",
    join(root.directory, "state"),
  ];
  const counted = Object.keys(env).length === 0 ? [] : ["--import", steps];
  const child = spawn(pinnedNode, [...counted, ...program, ...args], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.on("data", (data: Buffer) => (stderr += data.toString()));
  return await new Promise((resolve) =>
    child.once("close", (code, signal) => resolve({ code, signal, stderr: stderr.slice(0, 500) })),
  );
}

/** Nothing is lost here with the power, so that nothing needs to wait for a disk. */
const memory = "/dev/shm";
const nothing = { blobs: 0, ingests: 0, layers: 0, temporary: 0 };
const whole = { blobs: 4, ingests: 0, layers: 2, temporary: 0 };

/** How many steps a command takes, and some of them: the first, the last, and between them. */
async function stepsOf(prepare: (root: ImageRoot) => Promise<void>, args: () => readonly string[], some: number) {
  await using root = await ImageRoot.create({}, memory);
  await prepare(root);
  const file = join(directory, "count");
  expect(await sampan(root, args(), { KILL_COUNT: file })).toMatchObject({ code: 0 });
  const count = Number(await readFile(file, "utf8"));
  expect(count).toBeGreaterThan(5);
  return [...new Set(Array.from({ length: some }, (_, i) => 1 + Math.round((i * (count - 1)) / (some - 1))))];
}

/** Kills a command at some of its steps, each on a fresh root; whatever is left must be sound and go away. */
async function killAt(
  args: () => readonly string[],
  prepare: (root: ImageRoot) => Promise<void>,
  some: number,
): Promise<void> {
  for (const step of await stepsOf(prepare, args, some)) {
    await using root = await ImageRoot.create({}, memory);
    await prepare(root);
    const killed = await sampan(root, args(), { KILL_AT: String(step) });
    expect(killed, `step ${step}`).toMatchObject({ signal: "SIGKILL" });
    const found = await root.images.check();
    expect(
      found.filter(({ kind }) => kind !== "orphaned-blob" && kind !== "orphaned-layer"),
      `step ${step}`,
    ).toEqual([]);
    await root.images.collect(0);
    expect(await root.contents(), `step ${step}`).toEqual(root.images.list().length > 0 ? whole : nothing);
  }
}

const pulled = async (root: ImageRoot): Promise<void> => void (await root.images.pull(name));

test(
  "a pull that is killed at any step leaves nothing that a collection does not remove",
  { timeout: 240_000 },
  async () => {
    await killAt(
      () => ["pull", "-q", name],
      async () => undefined,
      6,
    );
  },
);

test("a removal that is killed at any step leaves the whole image or garbage", { timeout: 240_000 }, async () => {
  await killAt(() => ["rmi", name], pulled, 5);
});

test("a load that is killed at any step leaves the whole image or garbage", { timeout: 240_000 }, async () => {
  await killAt(
    () => ["load", "-q", "-i", archive],
    async () => undefined,
    5,
  );
});

test(
  "a collection that is killed at any step leaves garbage for the next one, and nothing of what is needed",
  { timeout: 240_000 },
  async () => {
    const withGarbage = async (root: ImageRoot): Promise<void> => {
      await pulled(root);
      for (const text of ["one", "two"]) {
        await root.content.add(
          (async function* source() {
            yield Buffer.from(text);
          })(),
        );
      }
    };
    await killAt(() => ["content", "prune"], withGarbage, 4);
  },
);

test("processes that pull the same image at once download each blob once", async () => {
  await using root = await ImageRoot.create({}, memory);
  await using proxy = await FaultProxy.start(registry.address, [
    { path: "/blobs/", method: "GET", fault: { kind: "delay", milliseconds: 500 } },
  ]);
  const ended = await Promise.all(
    [1, 2, 3].map(async () => await sampan(root, ["pull", "-q", `${proxy.address}/app:1`])),
  );
  expect(ended).toEqual([1, 2, 3].map(() => ({ code: 0, signal: null, stderr: "" })));
  const blobs = proxy.requests.filter(({ method, path }) => method === "GET" && path.includes("/blobs/"));
  expect(blobs.map(({ path }) => path).toSorted()).toEqual([...new Set(blobs.map(({ path }) => path))].toSorted());
  expect(blobs).toHaveLength(3);
  expect(await root.contents()).toEqual(whole);
});

test("a pull takes over from one that is killed in the middle of a download", async () => {
  await using root = await ImageRoot.create({}, memory);
  await using proxy = await FaultProxy.start(registry.address, [
    { path: "/blobs/", method: "GET", fault: { kind: "stall", after: 200_000 }, skip: 1, times: 1 },
  ]);
  const first = spawn(
    pinnedNode,
    [join(checkout, "dist/sampan.cjs"), "--root", root.directory, "pull", "-q", `${proxy.address}/app:1`],
    { stdio: "ignore" },
  );
  const gone = new Promise((resolve) => first.once("close", resolve));
  const isStalled = (): boolean => proxy.requests.filter(({ path }) => path.includes("/blobs/")).length > 1;
  for (let i = 0; i < 400 && !isStalled(); i++) await new Promise((resolve) => setTimeout(resolve, 25));
  const second = sampan(root, ["pull", "-q", `${proxy.address}/app:1`]);
  await new Promise((resolve) => setTimeout(resolve, 300));
  first.kill("SIGKILL");
  await gone;
  expect(await second).toMatchObject({ code: 0 });
  expect(await root.images.check()).toEqual([]);
});
