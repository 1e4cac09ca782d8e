/**
 * What overlayfs only notes in its upper directory: renamed directories and files whose content is below (`redirect_dir`,
 * `metacopy`). A layer has no such notes, and must have it all.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { applyLayer, archiveTree } from "#archive";
import { KeelExecutor, type FileTree } from "#keel";
import { containerChanges } from "../../src/engine/files/changes.ts";
import { layerEvents } from "../../src/engine/files/layer-events.ts";
import { OverlaySnapshotter, type ChainId } from "#snapshots";
import { Mounts, scratch } from "../support/mounts.ts";
import { readTree } from "../support/tree.ts";

const executor = new KeelExecutor();
const mounts = new Mounts();
let directory: string;

beforeEach(() => {
  directory = scratch();
  for (const name of ["lower", "upper", "work", "merged"]) mkdirSync(join(directory, name));
});
afterEach(() => {
  mounts.unmountAll();
  rmSync(directory, { recursive: true, force: true });
});
afterAll(() => executor[Symbol.asyncDispose]());

const open = (path: string): Promise<FileTree> =>
  executor.openTree({ mounts: false, program: [{ op: "root-directory", path }] });
const base = `sha256:${"1".repeat(64)}` as ChainId;
const top = `sha256:${"2".repeat(64)}` as ChainId;

function makeLower(root: string): void {
  for (const name of ["moved/sub", "victim", "kept", "gone"]) mkdirSync(join(root, name), { recursive: true });
  for (const name of ["moved/a", "moved/sub/b", "victim/old", "kept/file", "kept/other", "gone/x"])
    writeFileSync(join(root, name), `${name}\n`.repeat(1000));
  linkSync(join(root, "kept/other"), join(root, "kept/same"));
  symlinkSync("a", join(root, "moved/link"));
}

function change(root: string): void {
  renameSync(join(root, "moved"), join(root, "kept/renamed"));
  writeFileSync(join(root, "kept/renamed/new"), "new\n");
  rmSync(join(root, "kept/renamed/a"));
  chmodSync(join(root, "kept/file"), 0o600);
  rmSync(join(root, "victim"), { recursive: true });
  renameSync(join(root, "gone"), join(root, "victim"));
  mkdirSync(join(root, "gone"));
  writeFileSync(join(root, ".wh.reserved"), "not a whiteout");
}

async function archive(
  directories: { readonly upper: string; readonly below: string; readonly merged: string },
  kind: "overlay" | "copy",
) {
  await using upper = await open(directories.upper);
  await using below = await open(directories.below);
  const layers = { kind, upper, below, [Symbol.asyncDispose]: () => Promise.resolve() };
  const changes = await containerChanges(layers, () => open(directories.merged));
  const reserved: string[] = [];
  const parts: Uint8Array[] = [];
  const events = layerEvents(
    layers,
    () => open(directories.merged),
    (path) => reserved.push(path),
  );
  for await (const part of archiveTree(events)) parts.push(part);
  return { changes: changes.map(({ kind: letter, path }) => `${letter} ${path}`), reserved, tar: Buffer.concat(parts) };
}

async function* once(data: Uint8Array): AsyncGenerator<Uint8Array> {
  yield data;
}

/** Puts a layer on the lower directory by Sampan's own snapshotter, and reads what is then seen. */
async function applied(tar: Uint8Array): Promise<readonly string[]> {
  const snapshotter = new OverlaySnapshotter(join(directory, "store"), executor);
  await snapshotter.extract(base, undefined, async (path) => {
    execFileSync("cp", ["-a", `${directory}/lower/.`, path]);
    return await Promise.resolve({});
  });
  await snapshotter.extract(top, base, async (path, options) => {
    await using sink = await executor.openLayer(path, options);
    return await applyLayer(once(tar), sink);
  });
  return readTree(mounts.mount(await snapshotter.view(top)));
}

test.each(["redirect_dir=on,metacopy=on", "redirect_dir=off,metacopy=off"])(
  "a layer of an overlay with %s has what was moved, and what was changed without its content",
  async (options) => {
    const at = (name: string): string => join(directory, name);
    makeLower(at("lower"));
    const parts = `lowerdir=${at("lower")},upperdir=${at("upper")},workdir=${at("work")},${options}`;
    execFileSync("mount", ["-t", "overlay", "-o", parts, "overlay", at("merged")]);
    try {
      if (options.includes("=on")) change(at("merged"));
      else {
        // Without redirects rename(2) of a directory fails, and mv(1) copies.
        execFileSync("sh", [
          "-ec",
          `cd ${at("merged")}; mv moved kept/renamed; echo new > kept/renamed/new; rm kept/renamed/a; chmod 600 kept/file; rm -r victim; mv gone victim; mkdir gone; printf "not a whiteout" > .wh.reserved`,
        ]);
      }
      const found = await archive({ upper: at("upper"), below: at("lower"), merged: at("merged") }, "overlay");
      expect(found.changes).toEqual([
        "A /.wh.reserved",
        "C /gone",
        "D /gone/x",
        "C /kept",
        "C /kept/file",
        "A /kept/renamed",
        "A /kept/renamed/link",
        "A /kept/renamed/new",
        "A /kept/renamed/sub",
        "A /kept/renamed/sub/b",
        "D /moved",
        "C /victim",
        "D /victim/old",
        "A /victim/x",
      ]);
      expect(found.reserved).toEqual([".wh.reserved"]);
      const seen = readTree(at("merged")).filter((line) => !line.startsWith(".wh."));
      expect(await applied(found.tar)).toEqual(seen);
    } finally {
      execFileSync("umount", [at("merged")]);
    }
  },
);

test("a layer of a whole copy has what differs from the image, with hard links to what is in it", async () => {
  const at = (name: string): string => join(directory, name);
  makeLower(at("lower"));
  execFileSync("cp", ["-a", `${at("lower")}/.`, at("upper")]);
  change(at("upper"));
  linkSync(at("upper/kept/other"), at("upper/kept/third"));
  const found = await archive({ upper: at("upper"), below: at("lower"), merged: at("upper") }, "copy");
  expect(found.changes).toEqual([
    "A /.wh.reserved",
    "C /gone",
    "D /gone/x",
    "C /kept",
    "C /kept/file",
    "A /kept/renamed",
    "A /kept/renamed/link",
    "A /kept/renamed/new",
    "A /kept/renamed/sub",
    "A /kept/renamed/sub/b",
    "A /kept/third",
    "D /moved",
    "C /victim",
    "D /victim/old",
    "A /victim/x",
  ]);
  // A file of the image has no new name in a layer: its content is there once more.
  const alone = (lines: readonly string[]): readonly string[] => lines.map((line) => line.replace(/ = kept\/\w+$/, ""));
  const seen = readTree(at("upper")).filter((line) => !line.startsWith(".wh."));
  expect(alone(await applied(found.tar))).toEqual(alone(seen));
});
