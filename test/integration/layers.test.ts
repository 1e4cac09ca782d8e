import { createReadStream, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createGunzip } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { applyLayer, type LayerStats } from "#archive";
import { KeelExecutor } from "#keel";
import { chainIds, NativeSnapshotter, OverlaySnapshotter, type ChainId, type Snapshotter } from "#snapshots";
import type { Digest } from "#spec";
import { makeGroup } from "../support/images.ts";
import { Layout } from "../support/layout.ts";
import { Mounts, scratch } from "../support/mounts.ts";
import { mustHere } from "../support/process.ts";
import { makeRichTree } from "../support/rich-tree.ts";
import { readTree } from "../support/tree.ts";

const executor = new KeelExecutor();
const mounts = new Mounts();
let directory: string;

beforeEach(() => {
  directory = scratch();
});
afterEach(() => {
  mounts.unmountAll();
  rmSync(directory, { recursive: true });
});
afterAll(() => executor[Symbol.asyncDispose]());

async function unpack(stream: AsyncIterable<Uint8Array>, target: string, overlay = true): Promise<LayerStats> {
  mkdirSync(target, { recursive: true });
  await using sink = await executor.openLayer(target, { overlay });
  return await applyLayer(stream, sink);
}

describe("applyLayer() of archives by GNU tar", () => {
  let source: string;

  beforeAll(() => {
    source = scratch();
    makeRichTree(join(source));
  });
  afterAll(() => {
    rmSync(source, { recursive: true });
  });

  const formats = {
    "PAX, sparse 1.0": ["--format=pax", "--xattrs", "--xattrs-include=*", "--sparse"],
    "PAX, sparse 0.1": ["--format=pax", "--xattrs", "--xattrs-include=*", "--sparse", "--sparse-version=0.1"],
    "PAX, sparse 0.0": ["--format=pax", "--xattrs", "--xattrs-include=*", "--sparse", "--sparse-version=0.0"],
    "GNU, sparse": ["--format=gnu", "--sparse"],
    GNU: ["--format=gnu"],
  };

  for (const [name, options] of Object.entries(formats))
    it(`makes what GNU tar makes: ${name}`, async () => {
      const archive = join(directory, "layer.tar");
      const peer = join(directory, "peer");
      mkdirSync(peer);
      await mustHere(["tar", ...options, "-C", source, "-cf", archive, "."]);
      await mustHere([
        "tar",
        "--xattrs",
        "--xattrs-include=*",
        "--numeric-owner",
        "--warning=no-timestamp",
        "-C",
        peer,
        "-xpf",
        archive,
      ]);
      const expected = readTree(peer);
      const overlay = await unpack(createReadStream(archive), join(directory, "overlay"));
      expect(readTree(join(directory, "overlay"))).toEqual(expected);
      await unpack(createReadStream(archive), join(directory, "native"), false);
      expect(readTree(join(directory, "native"))).toEqual(expected);
      expect(overlay).toMatchObject({ entries: expected.length, implied: [], opaque: false });
      // And that is the tree itself, where the format has everything.
      if (name.startsWith("PAX")) expect(readTree(source)).toEqual(expected);
    });

  it("makes the same a second time, in place", async () => {
    const archive = join(directory, "layer.tar");
    await mustHere(["tar", "--format=pax", "--xattrs", "--xattrs-include=*", "-C", source, "-cf", archive, "."]);
    await unpack(createReadStream(archive), join(directory, "root"), false);
    const first = readTree(join(directory, "root"));
    await unpack(createReadStream(archive), join(directory, "root"), false);
    expect(readTree(join(directory, "root"))).toEqual(first);
  });

  it("copy-tree copies all of it, and remove-tree removes it", async () => {
    const copy = join(directory, "copy");
    mkdirSync(copy);
    await executor.execute([
      { op: "root-directory", path: source },
      { op: "copy-tree", source: "/", destination: copy },
    ]);
    expect(readTree(copy)).toEqual(readTree(source));
    await executor.execute([{ op: "remove-tree", path: copy }]);
    expect(existsSync(copy)).toBe(false);
  });
});

interface Image {
  readonly layers: readonly { readonly path: string; readonly mediaType: string }[];
  readonly chain: readonly ChainId[];
}

async function imageOf(layout: Layout, tag: string): Promise<Image> {
  const manifest = await layout.manifest(tag);
  const config = JSON.parse((await layout.readBlob(manifest.config.digest)).toString()) as {
    readonly rootfs: { readonly diff_ids: readonly Digest[] };
  };
  return {
    layers: manifest.layers.map(({ digest, mediaType }) => ({
      path: join(layout.directory, "blobs", ...digest.split(":")),
      mediaType,
    })),
    chain: chainIds(config.rootfs.diff_ids),
  };
}

/** All layers at once, as the engine does it. */
async function extractAll(snapshotter: Snapshotter, image: Image): Promise<ChainId> {
  await Promise.all(
    image.chain.map((key, i) =>
      snapshotter.extract(key, image.chain[i - 1], async (path, options) => {
        const layer = image.layers[i];
        if (layer === undefined) throw new Error("The image has more diff ids than layers");
        const file = createReadStream(layer.path);
        await using sink = await executor.openLayer(path, options);
        return await applyLayer(layer.mediaType.endsWith("gzip") ? file.pipe(createGunzip()) : file, sink);
      }),
    ),
  );
  const top = image.chain.at(-1);
  if (top === undefined) throw new Error("The image has no layers");
  return top;
}

describe("images by umoci", () => {
  for (const [group, tag] of [
    ["busybox", "layers"],
    ["debian", "redis"],
    ["debian", "nginx"],
  ] as const)
    it(`unpacks ${tag} to what umoci makes of it, as overlay and as copies`, async () => {
      const layout = new Layout(await makeGroup(group));
      const bundle = join(directory, "bundle");
      await mustHere(["umoci", "unpack", "--image", `${layout.directory}:${tag}`, bundle]);
      const expected = readTree(join(bundle, "rootfs"));
      const image = await imageOf(layout, tag);
      for (const Kind of [OverlaySnapshotter, NativeSnapshotter]) {
        const snapshotter = new Kind(join(directory, Kind.name), executor);
        const top = await extractAll(snapshotter, image);
        expect(readTree(mounts.mount(await snapshotter.view(top)))).toEqual(expected);
      }
    }, 300_000);
});

/** An image of two layers: a tree with everything, and one that removes and replaces some of it. */
async function buildahImage(layout: string): Promise<void> {
  const storage = ["--root", join(directory, "store"), "--runroot", join(directory, "run"), "--storage-driver", "vfs"];
  const buildah = (...args: string[]): Promise<string> => mustHere(["buildah", ...storage, ...args]);
  const change = async (base: string, change: (root: string) => Promise<unknown>, image: string): Promise<void> => {
    const container = await buildah("from", "--name", `on-${base}`, base);
    await change(await buildah("mount", container));
    await buildah("umount", container);
    await buildah("commit", "--quiet", container, image);
  };
  await change("scratch", async (root) => makeRichTree(root), "tree");
  const script =
    "rm -rf etc bin/su usr/lib/lib1*; mkdir etc; echo new > etc/new; rm lib; mkdir lib; echo x > lib/file; chmod 700 home";
  await change("localhost/tree", (root) => mustHere(["sh", "-ec", script], { cwd: root }), `oci:${layout}:two`);
}

describe("images by buildah", () => {
  it("unpacks files removed and replaced to what umoci makes of it", async () => {
    const layout = new Layout(join(directory, "layout"));
    await buildahImage(layout.directory);
    await mustHere(["umoci", "unpack", "--image", `${layout.directory}:two`, join(directory, "bundle")]);
    // No layer says anything of the root, and there are different ideas of its time.
    const withoutRootTime = (lines: string[]): string[] => [lines[0]?.replace(/ \d+$/, "") ?? "", ...lines.slice(1)];
    const expected = withoutRootTime(readTree(join(directory, "bundle/rootfs")));
    const image = await imageOf(layout, "two");
    expect(image.layers).toHaveLength(2);
    for (const Kind of [OverlaySnapshotter, NativeSnapshotter]) {
      const snapshotter = new Kind(join(directory, Kind.name), executor);
      const top = await extractAll(snapshotter, image);
      expect(withoutRootTime(readTree(mounts.mount(await snapshotter.view(top))))).toEqual(expected);
    }
  }, 120_000);
});

describe("bad layers", () => {
  it("a truncated layer leaves nothing", async () => {
    const layout = new Layout(await makeGroup("busybox"));
    const image = await imageOf(layout, "uncompressed");
    const path = image.layers[0]?.path ?? "";
    const whole = readFileSync(path);
    const snapshotter = new OverlaySnapshotter(join(directory, "root"), executor);
    const [key] = image.chain;
    if (key === undefined) throw new Error("The image has no layers");
    const extraction = snapshotter.extract(key, undefined, async (target, options) => {
      await using sink = await executor.openLayer(target, options);
      return await applyLayer(createReadStream(path, { end: whole.length - 5000 }), sink);
    });
    await expect(extraction).rejects.toMatchObject({
      code: "data-loss",
      message: expect.stringMatching(/at byte \d+ \(entry \d+(?:, ".*")?\): it is cut short after \d+ bytes$/),
    });
    expect(readdirSync(join(directory, "root", "tmp"))).toEqual([]);
    expect(await snapshotter.list()).toEqual([]);
  });
});
