import { once } from "node:events";
/** `cp`: Docker's table of cases in both directions, with containers that run and that do not, and what goes wrong. */
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeRichTree } from "../support/rich-tree.ts";
import { HostState } from "../support/snapshot-host.ts";
import { StockedHost } from "../support/stocked-host.ts";
import { readTree } from "../support/tree.ts";

let stocked: StockedHost;
let files: string;

const made = [
  "mkdir -p /src/dir/sub /dst/dir /dst/has/dir; echo f > /src/file; echo d > /src/dir/inner; echo s > /src/dir/sub/deep",
  "ln -s file /src/link; ln -s dir /src/dirlink; ln -s /nowhere /src/dangling",
  "echo old > /dst/file; ln -s /dst/dir /dst/dirlink; ln -s file /dst/filelink; ln -s /dst/newfile /dst/dangling",
].join("; ");

beforeAll(async () => {
  stocked = await StockedHost.create(["busybox"]);
  ({ files } = stocked.host);
  const image = stocked.image("busybox");
  await stocked.must([
    "run",
    "--name",
    "stopped",
    "-v",
    "data:/data",
    image,
    "sh",
    "-c",
    `${made}; echo v > /data/file`,
  ]);
  const wait = "sleep 1000";
  await stocked.must([
    "run",
    "-d",
    "--name",
    "running",
    "--tmpfs",
    "/mem",
    "-v",
    "data:/data",
    "-v",
    "data:/fixed:ro",
    image,
    "sh",
    "-c",
    `${made}; echo t > /mem/file; ${wait}`,
  ]);
  await stocked.host.must(["sh", "-c", made.replaceAll(" /src", ` ${files}/src`).replaceAll(" /dst", ` ${files}/dst`)]);
});
afterAll(async () => stocked[Symbol.asyncDispose]());

interface Outcome {
  readonly error?: string;
  readonly tree?: readonly string[];
}

/** `[source, destination, options]`, below /src and a fresh copy of /dst; and the paths below it afterwards, or the error. */
const table: readonly (readonly [
  source: string,
  destination: string,
  expected: readonly string[] | string,
  options?: object,
])[] = [
  ["file", "new", ["new=f"]],
  ["file", "missing/", "there is no such directory"],
  ["file", "missing/new", "there is no directory"],
  ["file", "file", ["file=f"]],
  ["file", "file/", "it is no directory"],
  ["file", "dir", ["dir/file=f"]],
  ["file", "dir/", ["dir/file=f"]],
  ["file", "dirlink", ["dir/file=f"]],
  ["file", "filelink", ["file=f"]],
  ["file", "dangling", ["newfile=f"]],
  ["file", "has", ["has/file=f"]],
  ["dir", "new", ["new/inner=d", "new/sub/deep=s"]],
  ["dir", "new/", ["new/inner=d", "new/sub/deep=s"]],
  ["dir/.", "new", ["new/inner=d", "new/sub/deep=s"]],
  ["dir", "missing/new", "there is no directory"],
  ["dir", "file", "a directory cannot replace a file"],
  ["dir", "dir", ["dir/dir/inner=d", "dir/dir/sub/deep=s"]],
  ["dir", "dir/", ["dir/dir/inner=d", "dir/dir/sub/deep=s"]],
  ["dir/", "dir", ["dir/dir/inner=d", "dir/dir/sub/deep=s"]],
  ["dir/.", "dir", ["dir/inner=d", "dir/sub/deep=s"]],
  ["dir/.", "dirlink", ["dir/inner=d", "dir/sub/deep=s"]],
  ["dir", "has", ["has/dir/inner=d", "has/dir/sub/deep=s"]],
  ["link", "new", ["new->file"]],
  ["link", "new", ["new=f"], { followLink: true }],
  ["dirlink", "new", ["new->dir"]],
  ["dirlink", "dir", ["dir/dirlink/inner=d", "dir/dirlink/sub/deep=s"], { followLink: true }],
  ["dirlink/", "new", ["new/inner=d", "new/sub/deep=s"]],
  ["dirlink/.", "dir", ["dir/inner=d", "dir/sub/deep=s"]],
  ["dangling", "new", ["new->/nowhere"]],
  ["dangling", "new", "it is not there", { followLink: true }],
  ["file/", "new", "it is no directory"],
  ["nosuch", "new", "it is not there"],
  ["file/x", "new", "it is no"],
];

/** All cases in one process; what is at the destination is read by the shell, from where it is. */
async function outcomes(container: string, out: boolean): Promise<readonly Outcome[]> {
  const result = await stocked.host.node(
    `
    import { execFileSync } from "node:child_process";
    import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
    import { Engine } from "#engine";
    await using engine = await Engine.open();
    const results = [];
    const list = (root, path = "") => readdirSync(root + "/" + path).sort().flatMap((name) => {
      const at = path === "" ? name : path + "/" + name;
      const stat = lstatSync(root + "/" + at);
      if (stat.isDirectory()) return list(root, at);
      return [at + (stat.isSymbolicLink() ? "->" + readlinkSync(root + "/" + at) : "=" + readFileSync(root + "/" + at, "utf8").trim())];
    });
    const out = ${out};
    const container = ${JSON.stringify(container)};
    const files = ${JSON.stringify(files)};
    const place = (inside, path) => inside ? { kind: "container", container, path: "/" + path } : { kind: "local", path: files + "/" + path };
    let round = 0;
    for (const [source, destination, , options = {}] of ${JSON.stringify(table)}) {
      round += 1;
      const fresh = "round-" + container + out + round;
      const from = (out ? "" : files) + "/dst";
      // A fresh /dst, made by what is tested elsewhere in here: a copy of its own files.
      execFileSync("cp", ["-a", files + "/dst", files + "/" + fresh]);
      for (const link of ["dirlink", "dangling"]) {
        execFileSync("ln", ["-sfn", (out ? files : "") + "/" + fresh + (link === "dirlink" ? "/dir" : "/newfile"), files + "/" + fresh + "/" + link]);
      }
      if (!out) await engine.files.copy(place(false, fresh), place(true, ""));
      const before = list(files + "/" + fresh);
      let error;
      try {
        await engine.files.copy(place(out, "src/" + source), place(!out, fresh + "/" + destination), options);
      } catch (e) { error = e.message; }
      let root = files + "/" + fresh;
      if (!out) {
        root = files + "/after-" + fresh;
        await engine.files.copy(place(true, fresh), place(false, "after-" + fresh));
      }
      results.push({ error, tree: list(root).filter((line) => !before.includes(line)) });
    }
    console.log(JSON.stringify(results));
    `,
    { timeout: 120_000 },
  );
  if (result.code !== 0) throw new Error(result.stderr.slice(0, 2000));
  return JSON.parse(result.stdout) as readonly Outcome[];
}

test.each([
  ["out of a container that does not run", "stopped", true],
  ["out of a container that runs", "running", true],
  ["into a container that does not run", "stopped", false],
  ["into a container that runs", "running", false],
])("sampan cp %s follows Docker's table", { timeout: 180_000 }, async (_, container, out) => {
  const results = await outcomes(container, out);
  const shown = table.map(([source, destination, expected, options], i) => {
    const { error, tree = [] } = results[i] ?? {};
    const words = `${source} ${destination} ${JSON.stringify(options ?? {})}`;
    if (typeof expected === "string")
      return `${words}: ${error?.includes(expected) === true ? expected : error}, ${tree.join(" ")}`;
    return `${words}: ${error ?? tree.join(" ")}`;
  });
  expect(shown).toEqual(
    table.map(([source, destination, expected, options]) => {
      const words = `${source} ${destination} ${JSON.stringify(options ?? {})}`;
      return typeof expected === "string" ? `${words}: ${expected}, ` : `${words}: ${expected.join(" ")}`;
    }),
  );
});

test("sampan cp -a takes everything there and back, and without it files belong to who copies", async () => {
  const rich = join(files, "rich");
  await mkdir(rich);
  makeRichTree(rich);
  for (const name of ["stopped", "running"]) {
    await stocked.must(["cp", "-a", rich, `${name}:/rich`]);
    await stocked.must(["cp", "-a", `${name}:/rich`, join(files, `back-${name}`)]);
    expect(readTree(join(files, `back-${name}`))).toEqual(readTree(rich));
  }
  await stocked.must(["cp", join(rich, "bin/su"), "running:/su"]);
  // As with chown(2): what was setuid for somebody is not for somebody else.
  expect(await stocked.must(["exec", "running", "stat", "-c", "%a %u %g", "/su", "/rich/bin/su"])).toBe(
    "755 0 0\n6755 1000 1001",
  );
  await stocked.must(["cp", "running:/rich/bin/ping", join(files, "ping")]);
  expect(await stocked.host.must(["getfattr", "--absolute-names", "-m-", join(files, "ping")])).toBe("");
});

test("sampan cp sees volumes and other mounts as the container does", async () => {
  const read = async (from: string): Promise<string> => {
    await stocked.must(["cp", from, join(files, "seen")]);
    return (await readFile(join(files, "seen"), "utf8")).trim();
  };
  expect(await read("stopped:/data/file")).toBe("v");
  expect(await read("running:/data/file")).toBe("v");
  expect(await read("running:/mem/file")).toBe("t");
  await writeFile(join(files, "in"), "in\n");
  await stocked.must(["cp", join(files, "in"), "running:/mem/in"]);
  expect(await stocked.must(["exec", "running", "cat", "/mem/in"])).toBe("in");
  await stocked.must(["cp", join(files, "in"), "stopped:/data/from-stopped"]);
  expect(await stocked.must(["exec", "running", "cat", "/data/from-stopped"])).toBe("in");
  const fixed = await stocked.host.sampan(["cp", join(files, "in"), "running:/fixed/in"]);
  expect(fixed).toMatchObject({ code: 1, stderr: expect.stringContaining("read-only file system") });
  expect((await stocked.host.sampan(["exec", "running", "ls", "-a", "/fixed"])).stdout).not.toMatch(/sampan|\bin\n/);
});

test("sampan cp - reads and writes archives", async () => {
  const listed = await stocked.host.run(["sh", "-c", '"$0" cp running:/src - | tar -t', sampan()]);
  expect(listed.stdout.split("\n").filter(Boolean)).toEqual([
    "src/",
    "src/dangling",
    "src/dir/",
    "src/dir/inner",
    "src/dir/sub/",
    "src/dir/sub/deep",
    "src/dirlink",
    "src/file",
    "src/link",
  ]);
  expect((await stocked.host.run(["sh", "-c", '"$0" cp stopped:/src/dir/. - | tar -t', sampan()])).stdout).toBe(
    "./\ninner\nsub/\nsub/deep\n",
  );
  expect((await stocked.host.run(["sh", "-c", '"$0" cp -L stopped:/src/link - | tar -xO', sampan()])).stdout).toBe(
    "f\n",
  );
  const packed = `tar --owner=1000:1000 -czf - -C ${files}/src . | "$0" cp - running:/dst`;
  expect(await stocked.host.run(["sh", "-c", packed, sampan()])).toMatchObject({ code: 0, stderr: "" });
  expect(await stocked.must(["exec", "running", "stat", "-c", "%u %n", "/dst/dir/sub/deep", "/dst/file"])).toBe(
    "1000 /dst/dir/sub/deep\n1000 /dst/file",
  );
  const whiteout = `mkdir ${files}/wh; touch ${files}/wh/.wh.file; tar -cf - -C ${files}/wh . | "$0" cp - running:/src`;
  expect(await stocked.host.run(["sh", "-c", whiteout, sampan()])).toMatchObject({ code: 0, stderr: "" });
  expect(await stocked.must(["exec", "running", "ls", "/src/file", "/src/.wh.file"])).toBe("/src/.wh.file\n/src/file");
});

describe("what cannot be copied", () => {
  const fails = async (args: readonly string[], options: { input?: Uint8Array } = {}): Promise<string> => {
    const { code, stderr } = await stocked.host.sampan(["cp", ...args], options);
    expect(code).toBe(1);
    return stderr.trim();
  };

  test("sampan cp says what is wrong with what it was given", { timeout: 120_000 }, async () => {
    expect(await fails(["a", "b"])).toContain("one of the two places must be in a container");
    expect(await fails(["running:/a", "stopped:/b"])).toContain("one of the two places must be in a container");
    expect(await fails(["nosuch:/a", files])).toContain('Cannot find container "nosuch"');
    expect(await fails([join(files, "nosuch"), "running:/"])).toContain("it is not there");
    expect(await fails(["-", "running:/src/file"], { input: new Uint8Array(1024) })).toContain("it is no directory");
    expect(await fails(["-", "running:/nosuch"], { input: new Uint8Array(1024) })).toContain(
      "there is no such directory",
    );
    await symlink("loop", join(files, "loop"));
    expect(await fails([join(files, "loop"), "running:/", "-L"])).toContain("too many");
    expect(await fails(["running:/src/file", join(files, "loop")])).toContain("too many symbolic links");
    const { stderr } = await stocked.host.node(`
      import { Engine } from "#engine";
      await using engine = await Engine.open();
      await engine.files.copy({ kind: "container", container: "running", path: "/a\\0b" }, { kind: "local", path: "/tmp" })
        .catch((error) => console.error(error.code, error.message));
    `);
    expect(stderr).toBe('invalid-argument Cannot copy "running:/a\\u0000b": its path has a NUL character in it\n');
  });

  test("sampan cp refuses broken and hostile archives, and leaves what was there", async () => {
    const { tarOf } = await import("../../src/archive/tar-writer.ts");
    const whole = tarOf({ name: "good", data: "good" }, { name: "cut", data: "x".repeat(5000) });
    expect(await fails(["-", "running:/dst/has"], { input: whole.subarray(0, 3000) })).toContain("cut short");
    expect(await fails(["-", "running:/dst/has"], { input: tarOf({ name: "../out", data: "x" }) })).toContain(
      "leaves the layer's root",
    );
    expect(await fails(["-", "running:/dst/has"], { input: tarOf({ name: "a", pax: [["path", "a\0b"]] }) })).toContain(
      "NUL",
    );
    expect(
      await fails(["-", "running:/dst/has"], {
        input: Buffer.from("no archive at all, but longer than a block".repeat(30)),
      }),
    ).toContain("Cannot read the archive");
    // The file that was complete stays; of the other nothing does.
    expect(await stocked.must(["exec", "running", "ls", "-A", "/dst/has"])).toBe("dir\ngood");
    expect(await fails(["-", "running:/dst"], { input: tarOf({ name: "file/", type: "5" }) })).toContain(
      "no directory in its place",
    );
    expect(await fails(["-", "running:/dst"], { input: tarOf({ name: "dir", data: "x" }) })).toContain(
      "there is a directory",
    );
  });

  test("sampan cp without space leaves the old file, and no other", async () => {
    await stocked.must([
      "run",
      "-d",
      "--name",
      "small",
      "--tmpfs",
      "/mem:size=64k",
      stocked.image("busybox"),
      "sh",
      "-c",
      "echo old > /mem/file; sleep 1000",
    ]);
    await stocked.host.must(["sh", "-c", `head -c 1m /dev/zero > ${files}/large`]);
    const state = await HostState.capture(stocked.host, { ignore: [/^root\/metadata\.db/] });
    expect(await fails([join(files, "large"), "small:/mem/file"])).toContain("no space left on device");
    expect(await stocked.must(["exec", "small", "sh", "-c", "ls -A /mem; cat /mem/file"])).toBe("file\nold");
    expect(await HostState.capture(stocked.host, { ignore: [/^root\/metadata\.db/] })).toEqual(state);
    await stocked.must(["rm", "-f", "small"]);
  });

  test("sampan cp keeps a stopped container from being started, and leaves no mount when it is killed", async () => {
    await stocked.must([
      "run",
      "--name",
      "gone",
      stocked.image("busybox"),
      "sh",
      "-c",
      "head -c 100m /dev/zero > /big",
    ]);
    const copy = stocked.host.spawn([
      "sh",
      "-c",
      `"$0" cp gone:/big - | (head -c 1; sleep 30; cat > /dev/null)`,
      sampan(),
    ]);
    await once(copy.stdout, "data");
    const { stderr } = await stocked.host.sampan(["start", "gone"]);
    expect(stderr).toContain("is working on it");
    copy.kill();
    await copy.exited;
    await stocked.must(["rm", "-f", "gone"]);
    const mounts = await stocked.host.must(["cat", "/proc/mounts"]);
    expect(mounts).not.toContain("overlay");
  });
});

const sampan = (): string => join(import.meta.dirname, "../../sampan");
