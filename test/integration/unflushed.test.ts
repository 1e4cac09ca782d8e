/** What a pull makes visible before it is on the disk: brought there by keel, and not trusted after a power cut. */
import { mkdir, readdir, readFile, readlink, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, StockedHost } from "../support/stocked-host.ts";

let stocked: StockedHost;
let busybox = "";
beforeAll(async () => {
  stocked = await StockedHost.create(["busybox"]);
  busybox = stocked.image("busybox");
});
afterAll(() => stocked[Symbol.asyncDispose]());

const marks = (): string => join(stocked.host.root, "unflushed");
const layersIn = (): string => join(stocked.host.root, "snapshots/layers");
const blobs = (): string => join(stocked.host.root, "content/blobs/sha256");

/** Leaves a mark as a pull does whose machine lost its power. */
async function markFromBefore(kind: "blob" | "layer", hex: string): Promise<void> {
  await mkdir(marks(), { recursive: true });
  await symlink("00000000-0000-0000-0000-000000000000", join(marks(), `${kind}-sha256-${hex}.1-1.1`));
}

test("sampan pull leaves no mark once keel has flushed the filesystem", async () => {
  await stocked.must(["rmi", "-f", busybox]);
  await stocked.must(["content", "prune"]);
  await stocked.must(["pull", "-q", busybox]);
  await eventually("all marks are gone", async () => (await readdir(marks())).length === 0);
});

test("a layer and a blob that a power cut has damaged come again before they are used", async () => {
  const [layer = ""] = await readdir(layersIn());
  const program = join(layersIn(), layer, "fs/bin/busybox");
  const size = (await readFile(program)).length;
  // As ext4 leaves a file whose data had not been written.
  await writeFile(program, "");
  const sizes = await Promise.all(
    (await readdir(blobs())).map(async (hex) => ({ hex, bytes: await readFile(join(blobs(), hex)) })),
  );
  const largest = sizes.toSorted((a, b) => b.bytes.length - a.bytes.length)[0];
  if (largest === undefined) throw new Error("no blob");
  await writeFile(join(blobs(), largest.hex), Buffer.alloc(largest.bytes.length));
  await markFromBefore("layer", layer);
  await markFromBefore("blob", largest.hex);

  expect(await stocked.mustShell([], "echo works")).toBe("works");
  expect((await readFile(program)).length).toBe(size);
  expect(await readFile(join(blobs(), largest.hex))).toEqual(largest.bytes);
  await eventually("all marks are gone", async () => (await readdir(marks())).length === 0);
});

test("a whole blob stays, several processes at once recover once, and marks of this boot change nothing", async () => {
  const [layer = ""] = await readdir(layersIn());
  const [blob = ""] = await readdir(blobs());
  await markFromBefore("blob", blob);
  await markFromBefore("layer", layer);
  const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
  const own = join(marks(), `layer-sha256-${layer}.1-1.2`);
  await symlink(boot, own);
  const results = await Promise.all([1, 2, 3].map(async (i) => await stocked.shell([], `echo ${i}`)));
  expect(results.map(({ code, stdout }) => [code, stdout])).toEqual([1, 2, 3].map((i) => [0, `${i}\n`]));
  expect(await readlink(own)).toBe(boot);
  expect((await readdir(marks())).length).toBe(1);
  expect(await readdir(blobs())).toContain(blob);
  // What a process that was killed left goes with the next pull that gets something.
  await stocked.must(["rmi", "-f", busybox]);
  await stocked.must(["content", "prune"]);
  await stocked.must(["pull", "-q", busybox]);
  await eventually("all marks are gone", async () => (await readdir(marks())).length === 0);
});
