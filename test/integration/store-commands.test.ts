/** Commands that look at the store and clean it up, as a user runs them; namespaces; bad disks and a damaged database. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testImage } from "../support/images.ts";
import { StockedHost } from "../support/stocked-host.ts";

let stocked: StockedHost;
let busybox = "";
let configured = "";
beforeAll(async () => {
  stocked = await StockedHost.create(["busybox", "configured"]);
  busybox = stocked.image("busybox");
  configured = stocked.image("configured");
});
afterAll(async () => await stocked[Symbol.asyncDispose]());

const lines = async (...args: string[]): Promise<readonly string[]> =>
  (await stocked.must(args)).split("\n").filter((line) => line !== "");
const fsck = async (env: Record<string, string> = {}): Promise<string> => {
  const { code, stdout, stderr } = await stocked.host.sampan(["content", "fsck"], { env });
  return `${code} ${stdout}${stderr}`.trim();
};
const names = async (...globals: string[]): Promise<readonly string[]> =>
  (await lines(...globals, "images", "--format", "json")).map((line) => {
    const { Repository, Tag } = JSON.parse(line) as { Repository: string; Tag: string };
    return `${Repository}:${Tag}`;
  });

describe("namespaces", () => {
  test("share what images are made of, and nothing that has a name", async () => {
    const other = ["--namespace", "other"];
    expect(await names(...other)).toEqual([]);
    await stocked.must(["run", "--name", "same", "-v", "data:/data", busybox, "sh", "-c", "echo default > /data/x"]);
    const before = (await lines("content", "ls", "-q")).length;
    const run = ["run", "--name", "same", "-v", "data:/data", busybox, "sh", "-c", "cat /data/x; echo mine > /data/x"];
    const { code, stdout, stderr } = await stocked.host.sampan([...other, ...run]);
    // Its volume of the same name is another one.
    expect({ code, stdout, stderr: stderr.includes("No such file") }).toEqual({ code: 0, stdout: "", stderr: true });
    expect((await lines("content", "ls", "-q")).length).toBe(before);
    expect(await names(...other)).toEqual([busybox]);
    expect(await lines(...other, "ps", "-a", "--format", "{{.Names}}")).toEqual(["same"]);
    expect(await stocked.mustShell(["-v", "data:/data"], "cat /data/x")).toBe("default");

    // What another namespace needs stays.
    await stocked.must([...other, "rm", "same"]);
    await stocked.must([...other, "rmi", busybox]);
    expect(await stocked.mustShell([], "echo still here")).toBe("still here");
    const full = await stocked.host.sampan(["namespace", "rm", "other"]);
    expect(full).toMatchObject({ code: 1, stderr: expect.stringContaining('"other": it has 1 volume') });
    await stocked.must(["rm", "same"]);
  });

  test("are made, labelled, listed and removed", async () => {
    await stocked.must(["namespace", "create", "team.one", "--label", "owner=a"]);
    await stocked.must(["namespace", "label", "team.one", "owner=", "tier=b"]);
    const list = (await lines("namespace", "ls", "--format", "json")).map((line) => JSON.parse(line) as object);
    expect(list).toContainEqual(expect.objectContaining({ name: "team.one", labels: { tier: "b" } }));
    expect(await lines("namespace", "rm", "team.one")).toEqual(["team.one"]);
    expect(await lines("namespace", "ls", "-q")).toEqual(["default", "other"]);
    for (const wrong of ["../x", "a/b", "-", "a".repeat(77), "a..b"]) {
      const refused = await stocked.host.sampan([`--namespace=${wrong}`, "images"]);
      expect(refused, wrong).toMatchObject({ code: 1, stderr: expect.stringContaining("Cannot use namespace") });
    }
    const env = { SAMPAN_NAMESPACE: "third" };
    expect((await stocked.host.sampan(["images", "-q"], { env })).stdout).toBe("");
    await stocked.must(["namespace", "rm", "third"]);
  });
});

describe("clean-up", () => {
  test("image prune removes what no container uses, but for pinned images and by filters", async () => {
    await stocked.must(["create", "--name", "user", busybox]);
    await stocked.must(["tag", configured, "localhost/pinned:1"]);
    await stocked.must(["image", "pin", "localhost/pinned:1"]);
    expect(await lines("image", "prune", "-af")).toEqual(["Freed: 0B"]);
    await stocked.must(["image", "pin", "--remove", "localhost/pinned:1"]);
    expect(await lines("image", "prune", "-f")).toEqual(["Freed: 0B"]);
    expect(await lines("image", "prune", "-af", "--filter", "label=absent")).toEqual(["Freed: 0B"]);
    expect(await lines("image", "prune", "-af", "--filter", "label!=org.example.purpose=test")).toEqual(["Freed: 0B"]);
    expect(await lines("image", "prune", "-af", "--filter", "until=10000h")).toEqual(["Freed: 0B"]);
    const wrong = await stocked.host.sampan(["image", "prune", "-af", "--filter", "until=soon"]);
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('Cannot parse --filter "until=soon"') });
    const unasked = await stocked.host.sampan(["image", "prune"]);
    expect(unasked).toMatchObject({ code: 1, stderr: expect.stringContaining("Give --force") });
    const pruned = await lines("image", "prune", "-af", "--filter", "label=org.example.purpose=test");
    expect(pruned).toEqual([
      `Untagged: ${configured}`,
      "Untagged: localhost/pinned:1",
      expect.stringMatching(/^Deleted: sha256:/),
      expect.stringMatching(/^Freed: [\d.]+[kM]B$/),
    ]);
    expect(await names()).toEqual([busybox]);
    await stocked.must(["rm", "user"]);
  });

  test("system df counts bytes and inodes, alone and shared; system prune frees them", async () => {
    await stocked.must(["pull", configured]);
    await stocked.must([
      "run",
      "--name",
      "writer",
      "-v",
      "/anonymous",
      busybox,
      "sh",
      "-c",
      "head -c 3000000 /dev/zero > /big",
    ]);
    const usage = JSON.parse(await stocked.must(["system", "df", "-v", "--format", "json"])) as {
      images: readonly { names: readonly string[]; shared: { bytes: number }; unique: { bytes: number } }[];
      containers: readonly { name: string; layer: { bytes: number; inodes: number } }[];
      volumes: readonly { name: string; containers: readonly string[] }[];
      layers: readonly { images: number; usage: { bytes: number; inodes: number } }[];
    };
    const [first, second] = usage.images.toSorted((a, b) => a.unique.bytes - b.unique.bytes);
    expect(first?.shared.bytes).toBe(second?.shared.bytes);
    expect(first?.shared.bytes).toBeGreaterThan(2_000_000);
    expect(usage.containers).toMatchObject([{ name: "writer", layer: { inodes: 3 } }]);
    expect(usage.containers[0]?.layer.bytes).toBeGreaterThanOrEqual(3_000_000);
    expect(usage.layers.map(({ images }) => images).toSorted((a, b) => a - b)).toEqual([1, 2]);
    expect(usage.volumes.map(({ containers }) => containers.join(",")).toSorted()).toEqual(["", "writer"]);
    expect(await lines("system", "df", "--format", "{{.Type}} {{.TotalCount}} {{.Active}}")).toEqual(
      expect.arrayContaining(["Images 2 1", "Containers 1 0", "Volumes 2 1"]),
    );

    const pruned = await stocked.must(["system", "prune", "-af", "--volumes"]);
    expect(pruned).toContain("Deleted containers:");
    expect(pruned).toMatch(/Deleted volumes:\n[0-9a-f]{64}\n/);
    expect(pruned).toMatch(/Freed: [\d.]+MB$/);
    expect(await names()).toEqual([]);
    expect(await lines("content", "ls")).toHaveLength(1);
    expect(await readdir(join(stocked.host.root, "snapshots/layers"))).toEqual([]);
    // A volume with a name is somebody's data.
    expect(await readdir(join(stocked.host.root, "volumes"))).toEqual(["data"]);
    await stocked.must(["pull", busybox]);
    await stocked.must(["pull", configured]);
  });

  test("a lease keeps an image's blobs and layers without a name", async () => {
    const id = await stocked.must(["lease", "create", "--expires", "1h", configured]);
    await stocked.must(["rmi", configured]);
    expect(await stocked.must(["content", "prune"])).toContain("Deleted: 0 blobs, 0 layers");
    expect(await lines("lease", "ls", "-q")).toEqual([id]);
    await stocked.must(["lease", "rm", id]);
    expect(await stocked.must(["content", "prune"])).toContain("Deleted: 3 blobs, 1 layers");
    await stocked.must(["pull", configured]);
  });

  test("Housekeeping.keepBelow() removes what was unused the longest first, until the disk is below the mark", async () => {
    const source = `
      import { Engine } from "#engine";
      import { DatabaseSync } from "node:sqlite";
      await using engine = await Engine.open();
      new DatabaseSync(process.env.SAMPAN_ROOT + "/metadata.db").exec("UPDATE image_platforms SET used = 1000; UPDATE images SET updated = 1000");
      new DatabaseSync(process.env.SAMPAN_ROOT + "/metadata.db").exec("UPDATE images SET updated = 2000 WHERE name LIKE '%configured%'");
      const at = engine.image(${JSON.stringify(busybox)}).id;
      await using container = await engine.create({ image: ${JSON.stringify(configured)}, command: ["true"] });
      const nothing = await engine.housekeeping.keepBelow({ high: 100, low: 100 });
      const some = await engine.housekeeping.keepBelow({ high: 0, low: 0, minimumAge: 0 });
      const wrong = await engine.housekeeping.keepBelow({ high: 10, low: 20 }).catch((error) => error.code);
      console.log(JSON.stringify([nothing.removed, some.removed.map((id) => id === at), some.reached, wrong, engine.images().length]));`;
    const { stdout, stderr } = await stocked.host.node(source);
    expect({ stderr, found: JSON.parse(stdout) as unknown }).toEqual({
      stderr: "",
      found: [[], [true], false, "invalid-argument", 1],
    });
    await stocked.must(["pull", busybox]);
  });
});

describe("bad disks", () => {
  test("on a full disk, system prune makes room; on one that cannot be written, fsck looks and prune says so", async () => {
    const root = join(stocked.host.files, "small");
    await stocked.host.must(["mkdir", root]);
    await stocked.host.must(["mount", "-n", "-t", "tmpfs", "-o", "size=80m", "small", root]);
    const env = { SAMPAN_ROOT: root };
    await stocked.must(["pull", busybox], { env });
    expect(await stocked.host.run(["sh", "-c", `cat /dev/zero > ${root}/ballast`])).toMatchObject({ code: 1 });
    expect((await stocked.host.must(["df", "--output=avail", root])).split("\n")[1]?.trim()).toBe("0");
    expect(await stocked.must(["system", "prune", "-af"], { env })).toContain("Deleted images:");
    expect((await stocked.host.sampan(["images", "-q"], { env })).stdout).toBe("");
    await stocked.host.must(["rm", `${root}/ballast`]);
    await stocked.must(["pull", busybox], { env });
    await stocked.host.must(["mount", "-n", "-o", "remount,ro", root]);
    expect(await fsck(env)).toBe("0 No damage");
    const refused = await stocked.host.sampan(["system", "prune", "-af"], { env });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/^sampan: Cannot .*[Rr]ead-only file system\. Choose a writable place/);
    await stocked.host.must(["umount", "-n", "-l", root]);
  });

  test("where overlayfs is not to be had, layers are copied, and containers run", async () => {
    const [lower, upper, work, root] = ["lower", "upper", "work", "over"].map((name) => join(stocked.host.files, name));
    await stocked.host.must(["mkdir", lower ?? "", upper ?? "", work ?? "", root ?? ""]);
    const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
    await stocked.host.must(["mount", "-n", "-t", "overlay", "-o", options, "over", root ?? ""]);
    const env = { SAMPAN_ROOT: root ?? "" };
    expect(await stocked.mustShell([], "echo copied > /x; cat /x; ls /bin/busybox", { env })).toBe(
      "copied\n/bin/busybox",
    );
    expect(await stocked.host.must(["cat", `${root}/snapshots/kind`])).toBe("native");
    expect(await fsck(env)).toBe("0 No damage");
    await stocked.must(["rmi", busybox], { env });
    expect(await stocked.host.must(["ls", `${root}/snapshots/layers`])).toBe("");
    await stocked.host.must(["umount", "-n", "-l", root ?? ""]);
  });
});

describe("a damaged database", () => {
  test("is refused with the remedy, and rebuilt from what is on disk", async () => {
    await stocked.must(["tag", busybox, "localhost/mine:2"]);
    await stocked.must(["run", "--name", "kept", "-l", "a=b", busybox, "sh", "-c", "echo written > /x"]);
    await stocked.must(["rename", "kept", "renamed"]);
    await stocked.must(["network", "create", "--subnet", "10.77.0.0/24", "--label", "a=b", "mesh"]);
    await stocked.must([
      "run",
      "-d",
      "--name",
      "running",
      "--network",
      "mesh",
      "-p",
      "8077:80",
      busybox,
      "sleep",
      "1000",
    ]);
    await stocked.must(["image", "pin", "localhost/mine:2"]);
    await stocked.must(["lease", "create", "--id", "held", "-l", "a=b", configured]);
    const network = await stocked.must(["network", "inspect", "mesh"]);
    const leases = await stocked.must(["lease", "ls", "--format", "json"]);
    expect(JSON.parse(leases)).toMatchObject({ id: "held", labels: { a: "b" } });
    const address = await stocked.must(["exec", "running", "ip", "-4", "-o", "addr", "show", "eth0"]);
    expect(address).toContain("10.77.0.2/24");
    const before = (await names()).toSorted();
    const path = join(stocked.host.root, "metadata.db");
    const bytes = await readFile(path);
    await writeFile(path, Buffer.concat([Buffer.from("this was a database"), bytes.subarray(19)]));
    const refused = await stocked.host.sampan(["ps"]);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(`Cannot open "${path}": it is damaged`) });
    expect(refused.stderr).toContain("sampan content fsck --repair");
    const { code, stderr } = await stocked.host.sampan(["content", "fsck", "--repair"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("The damaged database is kept as") });
    expect((await names()).toSorted()).toEqual(before);
    expect(await stocked.must(["network", "inspect", "mesh"])).toBe(network);
    // What a running container has is nobody else's.
    const other = ["run", "--rm", "--network", "mesh", busybox, "ip", "-4", "-o", "addr", "show", "eth0"];
    expect(await stocked.must(other)).toContain("10.77.0.3/24");
    const taken = await stocked.host.sampan(["run", "--rm", "--network", "mesh", "-p", "8077:80", busybox, "true"]);
    expect(taken.stderr).toContain('Cannot publish port "8077/tcp"');
    expect(await stocked.must(["lease", "ls", "--format", "json"])).toBe(leases);
    await stocked.must(["lease", "rm", "held"]);
    await stocked.must(["image", "prune", "-af"]);
    expect(await names()).toContain("localhost/mine:2");
    await stocked.must(["pull", "-q", configured]);
    await stocked.must(["image", "pin", "--remove", "localhost/mine:2"]);
    expect((await lines("ps", "-a", "--format", "{{.Names}} {{.State}}")).toSorted()).toEqual([
      "renamed exited",
      "running running",
    ]);
    await stocked.must(["start", "renamed"]);
    expect(await stocked.must(["exec", "running", "echo", "still there"])).toBe("still there");
    expect(await fsck()).toBe("0 No damage");
    await stocked.must(["rm", "-f", "running", "renamed"]);
    await stocked.must(["network", "rm", "mesh"]);
  });

  test("a page that is damaged is found by fsck, and an image without a log of names comes back without one", async () => {
    const path = join(stocked.host.root, "metadata.db");
    await stocked.host.must(["rm", `${path}-names`]);
    const bytes = await readFile(path);
    for (let page = 2; page * 4096 < bytes.length; page += 1) bytes.fill(0x5a, page * 4096, page * 4096 + 64);
    await writeFile(path, bytes);
    const { code } = await stocked.host.sampan(["content", "fsck", "--repair"]);
    expect(code).toBe(0);
    expect(await names()).toEqual(["<none>:<none>", "<none>:<none>"]);
    await stocked.must(["pull", busybox]);
    expect(await names()).toContain(busybox);
    await stocked.must(["image", "prune", "-f"]);
  });
});

test("many processes pull, load, run, remove and prune at once, and leave a sound store", async () => {
  const archive = join(stocked.host.files, "app.tar");
  const [, layout = "", tag = ""] = (await testImage("configured")).split(":");
  const target = `docker-archive:${archive}:localhost/loaded:1`;
  await stocked.host.must(["skopeo", "--insecure-policy", "copy", "-q", `oci:${layout}:${tag}`, target]);
  const actions = [
    ["pull", "-q", busybox],
    ["run", "--rm", busybox, "true"],
    ["rmi", "-f", busybox],
    ["load", "-q", "-i", archive],
    ["run", "--rm", configured, "true"],
    ["image", "prune", "-af"],
    ["content", "prune"],
    ["rmi", "-f", "localhost/loaded:1"],
  ];
  const failures: string[] = [];
  const worker = async (first: number): Promise<void> => {
    for (let i = 0; i < 5; i += 1) {
      const args = actions[(first * 3 + i * 5) % actions.length] ?? [];
      const { code, stderr } = await stocked.host.sampan(args, { timeout: 120_000 });
      // An image may be gone when it is to be removed, or be in use; a container always gets its image.
      const isFine = code === 0 || (args[0] === "rmi" && /^sampan: Cannot (find|remove) image/.test(stderr));
      if (!isFine) failures.push(`${args.join(" ")}: ${code} ${stderr}`);
    }
  };
  await Promise.all(Array.from({ length: 6 }, async (_, i) => await worker(i)));
  expect(failures).toEqual([]);
  expect(await fsck()).toMatch(/^0 /);
  await stocked.must(["system", "prune", "-af"]);
  expect(await lines("content", "ls", "-q")).toEqual([]);
  expect(await readdir(join(stocked.host.root, "snapshots/layers"))).toEqual([]);
  expect(await readdir(join(stocked.host.root, "content/ingest"))).toEqual([]);
});
