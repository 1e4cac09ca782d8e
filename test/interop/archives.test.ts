/**
 * Archives of images, to and from Debian's podman, skopeo and ctr: names, configurations, layers and digests stay the same.
 */
import { createReadStream } from "node:fs";
import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { containerdConfig } from "../support/containerd.ts";
import { ImageRoot, listing } from "../support/image-root.ts";
import { testImage } from "../support/images.ts";
import { mustHere } from "../support/process.ts";
import { TestHost } from "../support/testhost.ts";

interface Facts {
  readonly names: readonly string[];
  /** Digest of the configuration. */
  readonly id: string;
  readonly diffIds: readonly string[];
}

/** `zstd` is `layers` with other blobs: another manifest of the same image. */
const kinds = ["layers", "configured", "zstd"] as const;
/** Those that skopeo and podman make Docker's archives of: not of zstd. */
const dockers = ["layers", "configured"] as const;
const nameOf = (kind: (typeof kinds)[number]): string => `example.com/team/${kind}:5`;

let host: TestHost;
let root: ImageRoot;
let podman: readonly string[];
/** What each image is, and its manifest's digest, as skopeo has written it. */
const wanted = new Map<string, Facts & { readonly manifest: string }>();
/** The files of `layers`. */
let files: string;

const file = (name: string): string => join(host.files, name);
const skopeo = async (...args: readonly string[]): Promise<string> =>
  await mustHere(["skopeo", "--insecure-policy", ...args]);

async function save(into: string, names: readonly string[]): Promise<string> {
  const handle = await open(file(into), "w");
  await root.images.save(names, async (chunk) => await handle.writeFile(chunk));
  await handle.close();
  return file(into);
}

/** What a fresh store has after loading an archive, by name. */
async function loaded(archive: string): Promise<ReadonlyMap<string, Facts & { readonly manifest: string }>> {
  await using fresh = await ImageRoot.create();
  const found = await fresh.images.load(createReadStream(archive));
  const layers = found.flatMap(({ names }) => names).find((name) => name === nameOf("layers"));
  if (layers !== undefined) expect(await fresh.inside(fresh.images.resolve(layers).chainId, listing)).toBe(files);
  return new Map(
    found.map(({ names, id }) => {
      const { config, manifest } = fresh.images.resolve(names[0] ?? id);
      return [names[0] ?? id, { names, id, diffIds: config.diffIds, manifest }];
    }),
  );
}

const withoutManifests = (all: ReadonlyMap<string, Facts>): object =>
  [...all.values()]
    .map(({ names, id, diffIds }) => ({ names, id, diffIds }))
    .toSorted((a, b) => a.id.localeCompare(b.id));

const only = (...names: readonly string[]): ReadonlyMap<string, Facts> =>
  new Map([...wanted].filter(([name]) => names.includes(name)));

beforeAll(async () => {
  host = await TestHost.create();
  root = await ImageRoot.create();
  await host.must(["mkdir", "-p", "/run/podman"]);
  const own = ["runroot", "tmpdir", "volumepath"].flatMap((option) => [`--${option}`, `/run/podman/${option}`]);
  podman = ["podman", "--root", file("podman"), ...own, "--storage-driver", "overlay", "--events-backend", "file"];
  for (const kind of kinds) {
    const archive = file(`${kind}.oci.tar`);
    await skopeo("copy", "-q", "--preserve-digests", await testImage(kind), `oci-archive:${archive}:${nameOf(kind)}`);
    const raw = await skopeo("inspect", "--raw", `oci-archive:${archive}`);
    const { config } = JSON.parse(raw) as { config: { digest: string } };
    const { rootfs } = JSON.parse(await skopeo("inspect", "--config", "--raw", `oci-archive:${archive}`)) as {
      rootfs: { diff_ids: string[] };
    };
    const manifest = (JSON.parse(await skopeo("inspect", `oci-archive:${archive}`)) as { Digest: string }).Digest;
    wanted.set(nameOf(kind), { names: [nameOf(kind)], id: config.digest, diffIds: rootfs.diff_ids, manifest });
    await root.images.load(createReadStream(archive));
  }
  files = await root.inside(root.images.resolve(nameOf("layers")).chainId, listing);
  expect(files).toContain("./tree/kept");
});
afterAll(async () => {
  await root[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

describe("sampan save", () => {
  interface Inspected {
    readonly Id: string;
    readonly Digest: string;
    readonly RepoTags: readonly string[];
    readonly RootFS: { readonly Layers: readonly string[] };
  }
  const inPodman = async (name: string): Promise<Facts & { readonly manifest: string }> => {
    const [found] = JSON.parse(await host.must([...podman, "image", "inspect", name])) as readonly Inspected[];
    if (found === undefined) throw new Error(`Cannot inspect "${name}"`);
    return { names: found.RepoTags, id: `sha256:${found.Id}`, diffIds: found.RootFS.Layers, manifest: found.Digest };
  };

  test("is read by podman, as Docker's archive of several and as an OCI layout", async () => {
    const archive = await save("ours.tar", [...wanted.keys()]);
    await host.must([...podman, "load", "--quiet", "--input", archive]);
    for (const [name, { names, id, diffIds }] of wanted)
      expect(await inPodman(name)).toMatchObject({ names: expect.arrayContaining([...names]), id, diffIds });
    await host.must([...podman, "rmi", "--all", "--force"]);
    await host.must([...podman, "pull", "--quiet", `docker-archive:${archive}:${nameOf("zstd")}`]);
    const { names, id: zstd, diffIds } = wanted.get(nameOf("zstd")) as Facts;
    expect(await inPodman(nameOf("zstd"))).toMatchObject({ names, id: zstd, diffIds });
    // An image that is there keeps the manifest that it has.
    await host.must([...podman, "rmi", "--all", "--force"]);
    const one = await save("one.tar", [nameOf("layers")]);
    const id = (await host.must([...podman, "pull", "--quiet", `oci-archive:${one}`])).trim();
    const mount = `m=$("$@" image mount ${id}); set -- "$m"; ${listing}`;
    expect(await host.must(["bash", "-ec", mount, "sh", ...podman])).toBe(files);
    await host.must([...podman, "image", "umount", "--all"]);
    expect(await inPodman(id)).toMatchObject({ id: `sha256:${id}`, manifest: wanted.get(nameOf("layers"))?.manifest });
    await host.must([...podman, "rmi", "--all", "--force"]);
  });

  test("is read by skopeo as docker-archive:, image by image", async () => {
    const archive = await save("ours.tar", [...wanted.keys()]);
    const { Tags } = JSON.parse(await skopeo("list-tags", `docker-archive:${archive}`)) as { Tags: readonly string[] };
    expect(Tags.toSorted()).toEqual([...wanted.keys()].toSorted());
    for (const [name, { id, diffIds }] of wanted) {
      await skopeo("copy", "-q", `docker-archive:${archive}:${name}`, `dir:${file("dir")}`);
      const manifest = JSON.parse(await skopeo("inspect", "--raw", `dir:${file("dir")}`)) as {
        config: { digest: string };
      };
      expect(manifest.config.digest).toBe(id);
      const config = JSON.parse(
        await skopeo("inspect", "--config", "--raw", `docker-archive:${archive}:${name}`),
      ) as object;
      expect(config).toMatchObject({ rootfs: { diff_ids: diffIds } });
    }
  });
});

describe("sampan load", () => {
  test("takes what podman save writes, as docker-archive of several and as oci-archive", async () => {
    for (const kind of dockers) {
      const source = `${file(kind)}.oci.tar`;
      const id = (await host.must([...podman, "pull", "--quiet", `oci-archive:${source}`])).trim();
      await host.must([...podman, "tag", id, nameOf(kind)]);
    }
    const several = file("podman.tar");
    const names = dockers.map(nameOf);
    await host.must([...podman, "save", "--quiet", "--multi-image-archive", "-o", several, ...names]);
    expect(withoutManifests(await loaded(several))).toEqual(withoutManifests(only(...names)));
    const oci = file("podman-oci.tar");
    await host.must([...podman, "save", "--quiet", "--format", "oci-archive", "-o", oci, nameOf("layers")]);
    expect(withoutManifests(await loaded(oci))).toEqual(withoutManifests(only(nameOf("layers"))));
  });

  test("takes what skopeo copy writes to docker-archive:", async () => {
    for (const kind of dockers) {
      const archive = file(`${kind}.docker.tar`);
      await skopeo("copy", "-q", `oci-archive:${file(kind)}.oci.tar`, `docker-archive:${archive}:${nameOf(kind)}`);
      expect(withoutManifests(await loaded(archive))).toEqual(withoutManifests(only(nameOf(kind))));
    }
  });

  test("takes what ctr images export writes, digest by digest", async () => {
    const directory = file("containerd");
    await mkdir(directory);
    const socket = "/run/containerd/containerd.sock";
    await writeFile(join(directory, "config.toml"), containerdConfig(directory, socket));
    const daemon = host.spawn(["containerd", "--config", join(directory, "config.toml")]);
    daemon.stdout.resume();
    daemon.stderr.resume();
    const ctr = ["ctr", "--address", socket, "images"];
    for (let attempt = 0; (await host.run([...ctr, "ls"])).code !== 0; attempt++) {
      if (attempt === 100) throw new Error("Cannot reach containerd: it does not answer");
      await sleep(100);
    }
    for (const kind of kinds) await host.must([...ctr, "import", "--no-unpack", file(`${kind}.oci.tar`)]);
    const archive = file("ctr.tar");
    await host.must([...ctr, "export", archive, ...wanted.keys()]);
    expect(await loaded(archive)).toEqual(wanted);
    // And back again, under the whole names.
    await host.must([...ctr, "rm", ...wanted.keys()]);
    await host.must([...ctr, "import", "--no-unpack", await save("ours.tar", [...wanted.keys()])]);
    const list = (await host.must([...ctr, "ls"])).split("\n").slice(1);
    const digests = new Map(list.map((line) => line.split(/\s+/)).map(([name = "", , digest]) => [name, digest]));
    expect(digests).toEqual(new Map([...wanted].map(([name, { manifest }]) => [name, manifest])));
    daemon.kill();
    await daemon.exited;
  });
});
