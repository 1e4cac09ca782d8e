/** Images mounted in directories of the host, and in containers. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { StockedHost } from "../support/stocked-host.ts";

let stocked: StockedHost;
let directory: string;
beforeAll(async () => {
  stocked = await StockedHost.create(["busybox", "layers"]);
  directory = join(stocked.host.files, "mounted");
  await mkdir(directory);
});
afterAll(async () => stocked[Symbol.asyncDispose]());

const fails = async (...args: string[]): Promise<string> => {
  const { code, stderr } = await stocked.host.sampan(args);
  expect(code).toBeGreaterThan(0);
  return stderr.trim();
};

test("sampan image mount shows an image's files, read-only, until it is unmounted", { timeout: 120_000 }, async () => {
  const { host } = stocked;
  const image = stocked.image("layers");
  expect(await stocked.must(["image", "mount", image, directory])).toBe(directory);
  expect(await host.must(["cat", join(directory, "tree/links/two")])).toBe("on its own now");
  expect(await host.must(["ls", join(directory, "tree/opaque")])).toBe("new");
  expect((await host.run(["touch", join(directory, "new")])).stderr).toContain("Read-only file system");
  // What is in an image is not for the host's users to become root by.
  expect(await host.must(["findmnt", "-no", "OPTIONS", directory])).toMatch(/^ro,nosuid,nodev,/);
  expect(await stocked.must(["image", "mount"])).toMatch(
    new RegExp(`${directory} +${image} +[0-9a-f]{12} +ro +mounted`),
  );
  expect(await fails("image", "mount", image, directory)).toContain("an image is mounted there");
  expect(await fails("rmi", image)).toContain(`the mount on ${directory} uses it`);
  expect(await stocked.must(["rmi", "-f", image])).toBe(`Untagged: ${image}`);
  expect(await host.must(["ls", join(directory, "tree/opaque")])).toBe("new");
  expect(await stocked.must(["image", "unmount", directory])).toBe(directory);
  expect(await host.must(["ls", directory])).toBe("");
  expect(await stocked.must(["image", "mount", "--format", "json"])).toBe("");
  await stocked.must(["pull", "-q", image]);
});

test("sampan image mount --rw keeps what is written until it is unmounted", { timeout: 120_000 }, async () => {
  const { host } = stocked;
  const image = stocked.image("busybox");
  await stocked.must(["image", "mount", "--rw", image, directory]);
  await host.must(["sh", "-c", `echo x > ${directory}/etc/new; rm ${directory}/etc/group`]);
  expect(await stocked.must(["image", "unmount", image])).toBe(directory);
  expect(await host.must(["sh", "-c", `ls ${host.root}/snapshots/snapshots`])).toBe("");
  await stocked.must(["image", "mount", image, directory]);
  expect((await host.must(["ls", join(directory, "etc")])).split("\n")).toEqual(["group", "passwd"]);
  await stocked.must(["image", "unmount", directory]);
});

test("sampan image mount says what is wrong, and leaves nothing mounted", async () => {
  const image = stocked.image("busybox");
  expect(await fails("image", "mount", image, "/nosuch")).toContain(
    'Cannot mount on "/nosuch": there is no such directory',
  );
  expect(await fails("image", "mount", image, "/proc/version")).toContain("it is no directory");
  expect(await fails("image", "mount", "localhost/nosuch", directory)).toContain("Cannot find image");
  expect(await fails("image", "mount", image)).toContain("no directory is named");
  expect(await fails("image", "unmount", directory)).toContain("no image is mounted there");
  expect(await stocked.must(["image", "mount", "--format", "json"])).toBe("");
});

test(
  "sampan run --mount type=image shows an image, or a part of it, in a container",
  { timeout: 120_000 },
  async () => {
    const image = stocked.image("layers");
    const mount = (rest: string): readonly string[] => ["--mount", `type=image,source=${image},${rest}`];
    expect(
      await stocked
        .mustShell(mount("target=/x"), "cat /x/tree/links/two; ls /x/tree/opaque; touch /x/y 2>&1")
        .catch((error: unknown) => String(error)),
    ).toMatch(/on its own now\nnew\ntouch: \/x\/y: Read-only file system/);
    expect(await stocked.mustShell(mount("target=/deep/x,subpath=tree/opaque"), "ls /deep/x")).toBe("new");
    expect(await stocked.mustShell(mount("target=/file,image-subpath=tree/kept"), "cat /file")).toBe("kept");
    // A link in the image leads to a file of the image.
    expect(await stocked.mustShell(mount("target=/file,subpath=tree/symlink"), "cat /file")).toBe("kept");
    const missing = await stocked.shell(mount("target=/x,subpath=nosuch"), "true");
    expect(missing).toMatchObject({
      code: 125,
      stderr: expect.stringContaining('Cannot mount "nosuch" of an image on "/x": the image has no such path'),
    });
    const outside = await stocked.shell(mount("target=/x,subpath=../../../../../../etc"), "ls /x");
    expect(outside.stdout).toBe("group\npasswd\n");
    expect((await stocked.shell(["--mount", `type=image,target=/x`], "true")).stderr).toContain("src is missing");
    expect(
      (await stocked.shell(["--mount", `type=image,source=${image},target=/x,readonly=false`], "true")).stderr,
    ).toContain("read-only");

    await stocked.must([
      "run",
      "-d",
      "--name",
      "user",
      ...mount("target=/x"),
      stocked.image("busybox"),
      "sleep",
      "1000",
    ]);
    expect(await fails("rmi", image)).toContain("container user uses it");
    const seen = join(stocked.host.files, "seen");
    await stocked.must(["cp", "user:/x/tree/opaque", seen]);
    expect(await stocked.host.must(["ls", seen])).toBe("new");
    await stocked.must(["rm", "-f", "user"]);
  },
);
