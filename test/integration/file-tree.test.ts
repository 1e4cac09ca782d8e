/** `keel browse`, by its client: what it reads, and what it never does. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { archiveTree, applyLayer } from "#archive";
import { KeelExecutor, type FileTree } from "#keel";
import { containerChanges } from "../../src/engine/files/changes.ts";
import { makeRichTree } from "../support/rich-tree.ts";
import { scratch } from "../support/mounts.ts";
import { readTree } from "../support/tree.ts";

const executor = new KeelExecutor();
let directory: string;
beforeEach(() => {
  directory = scratch();
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));
afterAll(() => executor[Symbol.asyncDispose]());

const open = (path = directory): Promise<FileTree> =>
  executor.openTree({ mounts: false, program: [{ op: "root-directory", path }] });

test("FileTree.walk() as an archive, and that unpacked, is the same tree", async () => {
  const from = join(directory, "from");
  const to = join(directory, "to");
  mkdirSync(from);
  mkdirSync(to);
  makeRichTree(from);
  await using tree = await open(from);
  await using sink = await executor.openLayer(to, { overlay: false });
  await applyLayer(archiveTree(tree.walk("/", { content: true })), sink);
  expect(readTree(to)).toEqual(readTree(from));
});

test("FileTree.walk() reads no further than its consumer takes, however large a file is", async () => {
  writeFileSync(join(directory, "large"), Buffer.alloc(96 * 1024 * 1024, 1));
  const before = new Set(keels());
  await using tree = await open();
  const keel = keels().find((pid) => !before.has(pid));
  let taken = 0;
  let ahead = 0;
  for await (const event of tree.walk("/", { content: true })) {
    if (event.kind !== "data") continue;
    taken += event.data.length;
    if (taken % (16 * 1024 * 1024) !== 0) continue;
    await new Promise((resolve) => setTimeout(resolve, 100));
    const written = /wchar: (\d+)/.exec(readFileSync(`/proc/${keel}/io`, "latin1"))?.[1];
    ahead = Math.max(ahead, Number(written) - taken);
  }
  expect(taken).toBe(96 * 1024 * 1024);
  // The queue, and what a socket holds.
  expect(ahead).toBeLessThan(6 * 1024 * 1024);
  expect(ahead).toBeGreaterThan(0);
});

/** Processes of `keel browse` below this one. */
function keels(): readonly string[] {
  return readdirSync("/proc").filter((name) => {
    try {
      const ours = readFileSync(`/proc/${name}/stat`, "latin1").split(") ")[1]?.split(" ")[1] === String(process.pid);
      return ours && readFileSync(`/proc/${name}/cmdline`, "latin1").includes("browse");
    } catch {
      return false;
    }
  });
}

test("FileTree.walk() opens no FIFO and no device, and goes round no link", { timeout: 20_000 }, async () => {
  execFileSync("mkfifo", [join(directory, "fifo")]);
  execFileSync("mknod", [join(directory, "tty"), "c", "4", "1"]);
  symlinkSync(".", join(directory, "itself"));
  await using tree = await open();
  const paths: string[] = [];
  for await (const event of tree.walk("/", { content: true, follow: true }))
    if (event.kind === "file") paths.push(event.file.path);
  expect(paths).toEqual([".", "fifo", "itself", "tty"]);
});

test("FileTree.walk() tells of a file that becomes shorter while it is read, and leaves out one that goes", async () => {
  writeFileSync(join(directory, "a"), Buffer.alloc(32 * 1024 * 1024, 1));
  writeFileSync(join(directory, "b"), "gone soon");
  await using tree = await open();
  let bytes = 0;
  const paths: string[] = [];
  for await (const event of tree.walk("/", { content: true })) {
    if (event.kind === "file") paths.push(event.file.path);
    if (event.kind !== "data") continue;
    if (bytes === 0) {
      truncateSync(join(directory, "a"), 1024);
      rmSync(join(directory, "b"));
    }
    bytes += event.data.length;
  }
  expect(paths).toEqual([".", "a"]);
  expect(bytes).toBeLessThan(32 * 1024 * 1024);
});

test("FileTree.look() and walk() stay in their root, and say what is not there", async () => {
  mkdirSync(join(directory, "root/etc"), { recursive: true });
  writeFileSync(join(directory, "outside"), "x");
  symlinkSync("/outside", join(directory, "root/absolute"));
  symlinkSync("../outside", join(directory, "root/relative"));
  symlinkSync("/proc/self/root", join(directory, "root/magic"));
  await using tree = await open(join(directory, "root"));
  for (const path of ["absolute", "relative", "../outside", "/etc/../../outside", "magic/etc/passwd"])
    expect(await tree.look(path, { follow: true })).toBe(undefined);
  await expect(
    (async () => {
      for await (const _ of tree.walk("absolute", { follow: true })) void _;
    })(),
  ).rejects.toMatchObject({ code: "not-found", message: 'Cannot read "absolute": no such file or directory' });
  expect((await tree.look("etc"))?.mode).toBe(0o040755);
});

test("containerChanges() walks nothing of the layers below", async () => {
  for (const name of ["upper/dir", "lower/dir", "lower/other"]) mkdirSync(join(directory, name), { recursive: true });
  for (let i = 0; i < 200; i += 1) writeFileSync(join(directory, `lower/other/${i}`), "x");
  writeFileSync(join(directory, "upper/dir/new"), "x");
  await using upper = await open(join(directory, "upper"));
  await using tree = await open(join(directory, "lower"));
  const asked: string[] = [];
  const below = {
    look: (path: string) => {
      asked.push(`look ${path}`);
      return tree.look(path);
    },
    walk: (path: string) => {
      asked.push(`walk ${path}`);
      return tree.walk(path);
    },
  } as unknown as FileTree;
  const layers = { kind: "overlay" as const, upper, below, [Symbol.asyncDispose]: () => Promise.resolve() };
  expect(await containerChanges(layers, () => open())).toEqual([
    { kind: "C", path: "/dir" },
    { kind: "A", path: "/dir/new" },
  ]);
  expect(asked).toEqual(["look dir", "look dir/new"]);
});
