import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { applyLayer } from "#archive";
import { KeelExecutor } from "#keel";
import { OverlaySnapshotter, type ChainId } from "#snapshots";
import { chunked, tarOf, type WrittenEntry } from "../../src/archive/tar-writer.ts";
import { Mounts, scratch } from "../support/mounts.ts";
import { readTree } from "../support/tree.ts";

const executor = new KeelExecutor();
const mounts = new Mounts();
let directory: string;

beforeEach(() => {
  directory = scratch();
});
afterEach(() => {
  mounts.unmountAll();
  rmSync(directory, { recursive: true, force: true });
});
afterAll(() => executor[Symbol.asyncDispose]());

const key = `sha256:${"1".repeat(64)}` as ChainId;

describe("a full disk", () => {
  const extract = (root: string, ...entries: WrittenEntry[]): Promise<void> =>
    new OverlaySnapshotter(root, executor).extract(key, undefined, async (path, options) => {
      await using sink = await executor.openLayer(path, options);
      return await applyLayer(chunked(tarOf(...entries)), sink);
    });

  it("ends with an error that names the file, and leaves nothing", async () => {
    const root = mounts.tmpfs(1024 * 1024);
    const error: unknown = await extract(
      root,
      { name: "a", data: "x" },
      { name: "d/big", data: "x".repeat(8_000_000) },
    ).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: "resource-exhausted", fields: { errno: 28, syscall: "pwrite" } });
    expect(String(error)).toMatch(/d\/big/);
    expect(readTree(root, { times: false }).filter((line) => line.includes("a ") || line.includes("big"))).toEqual([]);
    expect(readdirSync(join(root, "tmp"))).toEqual([]);
  });

  it("ends in the same way when there are no inodes", async () => {
    const root = mounts.tmpfs(16 * 1024 * 1024, ",nr_inodes=60");
    const many = Array.from({ length: 200 }, (_, i): WrittenEntry => ({ name: `f${i}` }));
    await expect(extract(root, ...many)).rejects.toMatchObject({ code: "resource-exhausted", fields: { errno: 28 } });
    expect(readdirSync(join(root, "tmp"))).toEqual([]);
  });
});

describe("trees", () => {
  const copy = async (source: string, destination: string): Promise<void> => {
    mkdirSync(destination);
    await executor.execute([
      { op: "root-directory", path: source },
      { op: "copy-tree", source: "/", destination },
    ]);
  };
  const remove = async (path: string): Promise<void> => {
    await executor.execute([{ op: "remove-tree", path }]);
  };
  const shell = (script: string, cwd = directory): string =>
    execFileSync("sh", ["-ec", script], { cwd, encoding: "utf8" });

  it("deeper than a path and than the limit of open files are copied and removed", async () => {
    // 5000 levels, a file in each 500th, hard links between them.
    mkdirSync(join(directory, "source"));
    const make = `for (1 .. 5000) { mkdir "d"; chdir "d"; next if $_ % 500; open F, ">f"; print F $_; close F; link "f", "g" }`;
    execFileSync("perl", ["-e", make], { cwd: join(directory, "source") });
    await copy(join(directory, "source"), join(directory, "copy"));
    const summary = (name: string): string =>
      shell(`find ${name} -printf '%d %y %n\\n' | sort -n | sha256sum; find ${name} | wc -l`).replaceAll(name, "");
    expect(summary("copy")).toBe(summary("source"));
    expect(shell("find copy | wc -l").trim()).toBe("5021");
    await remove(join(directory, "source"));
    await remove(join(directory, "copy"));
    expect(readdirSync(directory)).toEqual([]);
  }, 120_000);

  it("with many files in a directory, and directories among them, are removed whole", async () => {
    shell(
      "mkdir -p wide && cd wide && seq 1 4000 | xargs touch && seq 1 2000 | sed 's/$/-d/' | xargs mkdir && for i in 1 2 3 1999; do touch $i-d/x; done",
    );
    await remove(join(directory, "wide"));
    expect(existsSync(join(directory, "wide"))).toBe(false);
    await remove(join(directory, "wide"));
  });

  it("with a mount in them are not removed behind it, and copied without it", async () => {
    const mounted = mounts.tmpfs(1024 * 1024);
    writeFileSync(join(mounted, "precious"), "x");
    mkdirSync(join(directory, "tree/inner"), { recursive: true });
    writeFileSync(join(directory, "tree/file"), "x");
    execFileSync("mount", ["--bind", mounted, join(directory, "tree/inner")]);
    try {
      await copy(join(directory, "tree"), join(directory, "copy"));
      expect(readdirSync(join(directory, "copy"), { recursive: true }).toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
        "file",
        "inner",
      ]);
      await expect(remove(join(directory, "tree"))).rejects.toMatchObject({ fields: { errno: 16 } });
      expect(readdirSync(mounted)).toEqual(["precious"]);
    } finally {
      execFileSync("umount", [join(directory, "tree/inner")]);
    }
    await remove(join(directory, "tree"));
    expect(existsSync(join(directory, "tree"))).toBe(false);
  });
});
