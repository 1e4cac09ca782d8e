/** `diff`, `export`, `import` and `commit`, with tar, bsdtar, podman, skopeo and umoci as readers of what they write. */
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ociProgram } from "../support/oci-host.ts";
import { makeRichTree } from "../support/rich-tree.ts";
import { eventually, StockedHost } from "../support/stocked-host.ts";
import { readTree } from "../support/tree.ts";

let stocked: StockedHost;
let files: string;
let rich: string;
/** The rich tree as a value. */
let tree: readonly string[];

beforeAll(async () => {
  stocked = await StockedHost.create(["layers"]);
  ({ files } = stocked.host);
  rich = join(files, "rich");
  await mkdir(rich);
  makeRichTree(rich);
  tree = readTree(rich);
  await stocked.must(["run", "--name", "changed", "-v", "/volume", stocked.image("layers"), "sh", "-c", script]);
  // Its content is what every writer and reader below is compared with.
  await stocked.must(["cp", "-a", `${rich}/.`, "changed:/rich"]);
});
afterAll(async () => stocked[Symbol.asyncDispose]());

const script = [
  "rm -r /tree/dir /tree/opaque",
  "mkdir /tree/opaque",
  "echo z > /tree/opaque/z",
  "echo x > /tree/kept",
  "chmod 700 /tree/replaced",
  ": >> /tree/links/one",
  "rm /tree/fifo; mkdir /tree/fifo; echo inside > /tree/fifo/file",
  "mkdir /new; echo y > /new/f; ln /new/f /new/g",
  "echo nothing > /volume/in-volume",
].join("\n");

const expected = [
  "A /new",
  "A /new/f",
  "A /new/g",
  "C /tree",
  "D /tree/dir",
  "C /tree/fifo",
  "A /tree/fifo/file",
  "C /tree/kept",
  "C /tree/opaque",
  "D /tree/opaque/new",
  "A /tree/opaque/z",
  "C /tree/replaced",
  "A /volume",
];

/** Without what `cp` has added. */
const changes = async (name: string): Promise<readonly string[]> =>
  (await stocked.must(["diff", name])).split("\n").filter((line) => !line.includes(" /rich"));

test("sampan diff shows what was added, changed and deleted, and nothing that was only opened", async () => {
  expect(await changes("changed")).toEqual(expected);
  const rows = (await stocked.must(["diff", "--format", "json", "changed"])).split("\n");
  expect(rows.map((row) => JSON.parse(row) as unknown)).toContainEqual({ Kind: "D", Path: "/tree/dir" });
  // A line of a file's name must not look like another line.
  expect(await stocked.must(["diff", "changed"])).toContain('A /rich/etc/new\\012line \\ and "quotes"');
});

test("sampan diff and export see a running container as it is at the moment", async () => {
  const image = stocked.image("layers");
  await stocked.must([
    "run",
    "-d",
    "--name",
    "running",
    "--tmpfs",
    "/tree",
    image,
    "sh",
    "-c",
    `echo 1 > /etc/new; echo hidden > /tree/hidden; sleep 1000`,
  ]);
  await eventually("the file is there", async () => (await changes("running")).includes("A /etc/new"));
  expect(await changes("running")).toEqual(["C /etc", "A /etc/new"]);
  await stocked.must(["export", "running", "-o", join(files, "running.tar")]);
  const names = (await stocked.host.must(["tar", "-tf", join(files, "running.tar")])).split("\n");
  expect(names).toEqual(expect.arrayContaining(["./", "etc/new", "tree/kept", "tree/opaque/new"]));
  // What is mounted in a container is no part of its root.
  expect(names.filter((name) => /hidden|^proc\/.|^sys\/./.test(name))).toEqual([]);
  await stocked.must(["rm", "-f", "running"]);
});

test.each([
  ["tar", ["--xattrs", "--xattrs-include=*", "-xp"]],
  ["bsdtar", ["-xp", "--xattrs", "--fflags"]],
])("%s reads an export with all that a file can have", async (program, flags) => {
  const directory = join(files, program);
  await mkdir(directory);
  await stocked.must(["export", "-o", join(files, "changed.tar"), "changed"]);
  await stocked.host.must([program, ...flags, "-f", join(files, "changed.tar"), "-C", directory]);
  const got = readTree(join(directory, "rich"));
  // bsdtar knows no attributes of links, and leaves what is below a name that is no text in its locale.
  const comparable = (lines: readonly string[]): readonly string[] =>
    program === "tar"
      ? lines
      : lines.map((line) => line.replace(/ trusted\.on-link=\S+/, "").replace(/ user\.empty=\S*/, ""));
  expect(comparable(got)).toEqual(comparable(tree));
  expect(await readFile(join(directory, "tree/kept"), "utf8")).toBe("x\n");
});

test(
  "sampan import makes an image of an export that has the same files, also from a pipe and compressed",
  { timeout: 180_000 },
  async () => {
    await stocked.host.must(["sh", "-c", `gzip -c ${files}/changed.tar > ${files}/changed.tar.gz`]);
    const id = await stocked.must([
      ...["import", join(files, "changed.tar.gz"), "localhost/imported:1", "-m", "from a test"],
      ...["-c", 'CMD ["cat", "/new/f"]', "-c", "ENV A=b"],
    ]);
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await stocked.must(["run", "--rm", "localhost/imported:1"])).toBe("y");
    await expectRich("localhost/imported:1");
    const piped = await stocked.host.run([
      "sh",
      "-c",
      `"$0" import --platform linux/arm64 - localhost/piped:1 < ${files}/changed.tar`,
      sampan(),
    ]);
    expect(piped).toMatchObject({ code: 0, stderr: "" });
    expect(await stocked.must(["images", "--filter", "reference=localhost/piped"])).toContain("linux/arm64");
    const [history] = JSON.parse(
      `[${(await stocked.must(["history", "--format", "json", "localhost/imported:1"])).split("\n").join(",")}]`,
    ) as readonly { readonly Comment: string }[];
    expect(history?.Comment).toBe("from a test");
  },
);

test(
  "sampan commit makes an image that runs here, and that podman and umoci read with the same files",
  { timeout: 180_000 },
  async () => {
    await stocked.must([
      ...["commit", "-a", "An Author <a@example.org>", "-m", "what is new", "-c", 'CMD ["ls", "/tree"]'],
      ...["-c", "LABEL made=here", "changed", "localhost/committed:1"],
    ]);
    const listing = await stocked.must(["run", "--rm", "localhost/committed:1"]);
    expect(listing.split("\n")).toEqual([
      "attribute",
      "capable",
      "fifo",
      "kept",
      "links",
      "opaque",
      "replaced",
      "setuid",
      "symlink",
      "zero",
    ]);
    await expectRich("localhost/committed:1");

    await stocked.must(["save", "-o", join(files, "committed.tar"), "localhost/committed:1"]);
    const podman = await podmanCommand();
    await stocked.host.must([...podman, "load", "-q", "-i", join(files, "committed.tar")]);
    expect(
      await stocked.host
        .must([
          ...[
            ...podman,
            "run",
            "--rm",
            "--network",
            "none",
            "--log-driver",
            "k8s-file",
            "--cgroup-parent",
            stocked.host.cgroupParent,
          ],
          ...["localhost/committed:1", "sh", "-c", "cat /new/f /tree/opaque/z; ls /tree/opaque; ls -d /tree/dir"],
        ])
        .catch((error: unknown) => String(error)),
    ).toContain("y\nz\nz\nls: /tree/dir: No such file or directory");

    const [config] = JSON.parse(await stocked.host.must([...podman, "image", "inspect", "localhost/committed:1"])) as [
      { Author: string; Config: { Cmd: string[]; Labels: object; Volumes: object }; History: { comment?: string }[] },
    ];
    expect(config).toMatchObject({
      Author: "An Author <a@example.org>",
      Config: { Cmd: ["ls", "/tree"], Labels: { made: "here" }, Volumes: { "/volume": {} } },
    });
    expect(config.History.at(-1)).toMatchObject({
      comment: "what is new",
      created_by: expect.stringMatching("^sh -c rm"),
    });
  },
);

test(
  "sampan commit gives the same image each time with SOURCE_DATE_EPOCH, and other bytes with other compression",
  { timeout: 120_000 },
  async () => {
    const env = { SOURCE_DATE_EPOCH: "1700000000" };
    const commit = async (...flags: string[]): Promise<string> =>
      await stocked.must(["commit", ...flags, "changed"], { env });
    const first = await commit();
    expect(await commit()).toBe(first);
    // The id is of what is in the layers, and not of how they are compressed.
    expect(await commit("--compression", "zstd")).toBe(first);
    const [image] = JSON.parse(await stocked.must(["image", "inspect", first])) as [{ Created: string }];
    expect(image.Created).toBe("2023-11-14T22:13:20.000Z");
    const newest = await stocked
      .must(["run", "--rm", first, "find", "/new", "/tree/opaque", "-newermt", "2023-11-15"])
      .catch(() => "");
    expect(newest).toBe("");
    const wrong = await stocked.host.sampan(["commit", "changed"], { env: { SOURCE_DATE_EPOCH: "soon" } });
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('Cannot use SOURCE_DATE_EPOCH "soon"') });
  },
);

test(
  "sampan commit stops a running container meanwhile, which goes on also when the commit is killed",
  { timeout: 180_000 },
  async () => {
    const image = stocked.image("layers");
    await stocked.must([
      "run",
      "-d",
      "--name",
      "busy",
      image,
      "sh",
      "-c",
      "head -c 60m /dev/urandom > /big; while :; do echo >> /count; sleep 0.01; done",
    ]);
    const { Id } = await stocked.inspect("busy");
    const freezer = `/sys/fs/cgroup/freezer${stocked.host.cgroupParent}/${Id}/freezer.state`;
    const state = async (): Promise<string> => (await stocked.host.must(["cat", freezer])).trim();
    await stocked.must(["exec", "busy", "sh", "-c", "while ! [ -e /count ]; do sleep 0.1; done"]);
    const commit = stocked.host.spawnSampan(["commit", "busy", "localhost/busy:1"]);
    await eventually("it is frozen", async () => (await state()) === "FROZEN");
    commit.kill();
    await commit.exited;
    await eventually("it goes on", async () => (await state()) === "THAWED");
    // Nothing of it is left but what the next start cleans up.
    expect(await stocked.must(["images", "--filter", "reference=localhost/busy"])).not.toContain("busy");
    await stocked.must(["rm", "-f", "busy"]);
  },
);

const sampan = (): string => join(import.meta.dirname, "../../sampan");

/** Unpacked by umoci, the image has the rich tree. */
async function expectRich(name: string): Promise<void> {
  const archive = join(files, "rich.tar");
  const layout = join(files, "rich-layout");
  await stocked.must(["save", "-o", archive, name]);
  await stocked.host.must(["skopeo", "--insecure-policy", "copy", "-q", `oci-archive:${archive}`, `oci:${layout}:x`]);
  await stocked.host.must(["umoci", "unpack", "--image", `${layout}:x`, join(files, "rich-bundle")]);
  // umoci makes files with holes whole, and to Go's reader of archives an empty attribute is none.
  const whole = (lines: readonly string[]): readonly string[] =>
    lines.map((line) => line.replace(" sparse", "").replace(" user.empty=0x", ""));
  expect(whole(readTree(join(files, "rich-bundle/rootfs/rich")))).toEqual(whole(tree));
  for (const path of [archive, layout, join(files, "rich-bundle")]) await rm(path, { recursive: true });
}

async function podmanCommand(): Promise<readonly string[]> {
  await stocked.host.must(["mkdir", "-p", "/run/podman"]);
  const own = ["runroot", "tmpdir", "volumepath"].flatMap((option) => [`--${option}`, `/run/podman/${option}`]);
  return [
    "podman",
    "--root",
    join(files, "podman"),
    ...own,
    "--storage-driver",
    "overlay",
    "--cgroup-manager",
    "cgroupfs",
    "--events-backend",
    "file",
    "--runtime",
    ociProgram,
    "--runtime-flag",
    `root=${join(stocked.host.directory, "oci")}`,
  ];
}

test("sampan import of what is no archive, or a broken one, leaves nothing", { timeout: 120_000 }, async () => {
  const before = await stocked.must(["images", "-q", "--no-trunc"]);
  const partial = ["sh", "-c", `ls ${stocked.host.root}/content/ingest ${stocked.host.root}/snapshots/tmp`];
  // A killed commit's are left to the collector.
  const partialBefore = await stocked.host.must(partial);
  const fails = async (input: Uint8Array | string, ...args: string[]): Promise<string> => {
    const { code, stderr } = await stocked.host.sampan(["import", ...args], { input });
    expect(code).toBe(1);
    return stderr;
  };
  const archive = await readFile(join(files, "changed.tar"));
  expect(await fails(archive.subarray(0, 100_000), "-", "localhost/broken:1")).toContain("it is cut short");
  expect(await fails("no archive ".repeat(500), "-")).toContain("Cannot");
  expect(await fails(archive, "-", "localhost/x:1", "-c", "RUN make")).toContain("there is no instruction RUN");
  expect(await fails("", "/nosuch.tar")).toContain("no such file");
  expect(await fails("", "http://127.0.0.1:1/x.tar")).toContain("it does not answer");
  expect(await fails(archive, "-", "UPPER CASE")).toContain("UPPER CASE");
  expect(await stocked.must(["images", "-q", "--no-trunc"])).toBe(before);
  // Neither a half-made layer nor a download.
  expect(await stocked.host.must(partial)).toBe(partialBefore);
});
