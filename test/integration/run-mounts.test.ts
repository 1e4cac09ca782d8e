/** `sampan run`: the root, binds, volumes and tmpfs. */
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { StockedHost } from "../support/stocked-host.ts";

let stocked: StockedHost;
let directory = "";
beforeAll(async () => {
  stocked = await StockedHost.create(["busybox", "configured"]);
  directory = join(stocked.host.files, "shared");
  await mkdir(join(directory, "below"), { recursive: true });
  await writeFile(join(directory, "file"), "from the host\n");
});
afterAll(async () => await stocked[Symbol.asyncDispose]());

/** Output of a script in a container, stdout and stderr by line. */
const lines = async (flags: readonly string[], script: string): Promise<readonly string[]> => {
  const { stdout, stderr } = await stocked.shell(flags, script);
  return `${stdout}${stderr}`.trimEnd().split("\n");
};

describe("root filesystem", () => {
  it("run gives each container a writable layer of its own, and never writes to the image", async () => {
    expect(await lines([], "echo changed > /etc/group; rm -r /home; cat /etc/group; ls -d /home")).toStrictEqual([
      "changed",
      "ls: /home: No such file or directory",
    ]);
    expect(await lines([], "head -1 /etc/group; ls -d /home")).toStrictEqual(["root:x:0:", "/home"]);
  });

  it("run --read-only leaves only mounts writable", async () => {
    const script = "echo x > /file; mkdir /etc/d; echo x > /t/file && echo tmpfs; echo x > /dev/shm/file && echo shm";
    expect(await lines(["--read-only", "--tmpfs", "/t"], script)).toStrictEqual([
      "tmpfs",
      "shm",
      "sh: can't create /file: Read-only file system",
      "mkdir: can't create directory '/etc/d': Read-only file system",
    ]);
  });

  it("run's mounts are not seen by the host", async () => {
    const before = await readFile(`/proc/${stocked.host.initPid}/mountinfo`, "utf8");
    const running = ["run", "-d", "--name", "mounted", "--tmpfs", "/t", stocked.image("busybox"), "sleep", "1000"];
    await stocked.must(running);
    expect(await readFile(`/proc/${stocked.host.initPid}/mountinfo`, "utf8")).toBe(before);
    expect(await stocked.must(["exec", "mounted", "grep", "-c", " /t tmpfs ", "/proc/mounts"])).toBe("1");
    await stocked.must(["rm", "-f", "mounted"]);
  });
});

describe("binds", () => {
  it("run -v binds a directory, read-only with ro", async () => {
    const flags = ["-v", `${directory}:/ro:ro`, "-v", `${directory}:/rw`];
    const script = "cat /ro/file; echo x > /ro/refused; rm /ro/file; echo from inside > /rw/written";
    expect(await lines(flags, script)).toStrictEqual([
      "from the host",
      "sh: can't create /ro/refused: Read-only file system",
      "rm: can't remove '/ro/file': Read-only file system",
    ]);
    expect(await readFile(join(directory, "written"), "utf8")).toBe("from inside\n");
  });

  it("run -v binds a file, also over one of the image, and makes targets that are missing", async () => {
    const flags = ["-v", `${directory}/file:/etc/passwd:ro`, "-v", `${directory}/file:/new/deep/file`];
    expect(await lines(flags, "cat /etc/passwd /new/deep/file; stat -c %F /new/deep/file")).toStrictEqual([
      "from the host",
      "from the host",
      "regular file",
    ]);
  });

  it("run --mount takes bind and tmpfs, and mounts the shallow before the deep", async () => {
    const flags = [
      ...["--mount", `type=bind,src=${directory},dst=/deep/er,readonly`],
      ...["--mount", "type=tmpfs,dst=/deep,tmpfs-size=1m,tmpfs-mode=711"],
    ];
    const script = "cat /deep/er/file; stat -c %a /deep; df -k /deep | awk 'NR==2 { print $2 }'; touch /deep/er/x";
    expect(await lines(flags, script)).toStrictEqual([
      "from the host",
      "711",
      "1024",
      "touch: /deep/er/x: Read-only file system",
    ]);
  });

  it("run --tmpfs takes options, and is nosuid, nodev and noexec without them", async () => {
    const options = async (value: string): Promise<string> =>
      await stocked.mustShell(["--tmpfs", value], "awk '$2 == \"/t\" { print $4 }' /proc/mounts; stat -c %a /t");
    expect(await options("/t")).toMatch(/^rw,nosuid,nodev,noexec,relatime\n1777$/);
    expect(await options("/t:size=1m,mode=700,exec")).toBe("rw,nosuid,nodev,relatime,size=1024k,mode=700\n700");
    expect(await options("/t:ro")).toMatch(/^ro,/);
  });
});

describe("volumes", () => {
  it("run -v NAME:PATH keeps a named volume from container to container", async () => {
    await stocked.mustShell(["-v", "kept:/v"], "echo persistent > /v/file; chown 1000:50 /v/file");
    expect(
      await lines(["-v", "kept:/other:ro"], "cat /other/file; stat -c %u:%g /other/file; touch /other/x"),
    ).toStrictEqual(["persistent", "1000:50", "touch: /other/x: Read-only file system"]);
    expect(await readFile(join(stocked.host.root, "volumes/kept/_data/file"), "utf8")).toBe("persistent\n");
  });

  it("run copies what the image has at a new volume's path, with owner and mode, but not with nocopy", async () => {
    const script = "stat -c '%u:%g %a' /home/app; ls -A /home";
    expect(await lines(["-v", "homes:/home"], script)).toStrictEqual(["1000:1000 755", "app"]);
    expect(await lines(["-v", "bare:/home:nocopy"], "ls -A /home; echo end")).toStrictEqual(["end"]);
    // What is in a volume already stays as it is.
    await stocked.mustShell(["-v", "homes:/home"], "rmdir /home/app; echo own > /home/own");
    expect(await lines(["-v", "homes:/home"], "ls -A /home")).toStrictEqual(["own"]);
  });

  it("VOLUME of the image makes an anonymous volume with the image's content and owner, which --rm removes", async () => {
    const image = stocked.image("configured");
    await stocked.must([
      "run",
      "--name",
      "anonymous",
      image,
      "sh",
      "-c",
      "stat -c '%u:%g' /data; cat /data/from-image > /data/copy",
    ]);
    expect(await stocked.must(["logs", "anonymous"])).toBe("1000:50");
    const { Mounts } = await stocked.inspect("anonymous");
    const [volume] = Mounts;
    expect(Mounts).toStrictEqual([expect.objectContaining({ Type: "volume", Destination: "/data", RW: true })]);
    const kept = join(stocked.host.root, "volumes", volume?.Name ?? "none", "_data");
    expect(await readFile(join(kept, "copy"), "utf8")).toBe("kept\n");
    await stocked.must(["rm", "-v", "anonymous"]);
    await expect(stat(kept)).rejects.toThrow("ENOENT");
    const volumes = async (): Promise<string> => await stocked.host.must(["ls", join(stocked.host.root, "volumes")]);
    const before = await volumes();
    await stocked.must(["run", "--rm", image, "true"]);
    expect(await volumes()).toBe(before);
  });

  it("rm without -v keeps an anonymous volume, and a named one in any case", async () => {
    const run = ["run", "--name", "both", "-v", "/made", "-v", "named:/n", stocked.image("busybox"), "true"];
    await stocked.must(run);
    const { Mounts } = await stocked.inspect("both");
    const names = Mounts.map(({ Name }) => Name ?? "");
    expect(names).toHaveLength(2);
    await stocked.must(["rm", "both"]);
    for (const name of names) expect((await stat(join(stocked.host.root, "volumes", name))).isDirectory()).toBe(true);
  });
});
