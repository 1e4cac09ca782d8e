/** Volumes: named, anonymous, mounts of the local driver, copy-up; and secrets, which are on no disk. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { StockedHost } from "../support/stocked-host.ts";

let stocked: StockedHost;
beforeAll(async () => (stocked = await StockedHost.create(["busybox"])));
afterAll(async () => await stocked[Symbol.asyncDispose]());

const lines = (text: string): readonly string[] => text.split("\n").filter((line) => line !== "");
const mounts = async (): Promise<number> =>
  Number(await stocked.host.must(["sh", "-c", `grep -c ${stocked.host.root}/volumes /proc/self/mountinfo; true`]));

describe("volumes", () => {
  it("a named volume takes over what the image has, outlives containers, and goes by volume rm", async () => {
    await stocked.must(["volume", "create", "--label", "tier=front", "site"]);
    await stocked.mustShell(["-v", "site:/etc"], "test -s /etc/passwd && echo x > /etc/own");
    expect(await stocked.mustShell(["-v", "site:/s:ro"], "cat /s/own; touch /s/y 2>&1 | grep -c Read-only")).toBe(
      "x\n1",
    );
    expect(await stocked.mustShell(["-v", "empty:/etc:nocopy"], "ls -A /etc | grep -v '^host\\|^resolv' ; true")).toBe(
      "",
    );
    expect(lines(await stocked.must(["volume", "ls", "-q"]))).toStrictEqual(["empty", "site"]);
    expect(
      await stocked.must(["volume", "ls", "--filter", "label=tier", "--format", '{{.Name}} {{.Label "tier"}}']),
    ).toBe("site front");
    expect(JSON.parse(await stocked.must(["volume", "inspect", "site"]))).toMatchObject([
      { Name: "site", Driver: "local", Labels: { tier: "front" }, Options: {}, Containers: [] },
    ]);
    await stocked.must(["create", "--name", "user", "-v", "site:/s", stocked.image("busybox")]);
    const used = await stocked.host.sampan(["volume", "rm", "site"]);
    expect(used.stderr).toBe(
      'sampan: Cannot remove volume "site": container user uses it. Remove the container first\n',
    );
    await stocked.must(["rm", "-v", "user"]);
    expect(lines(await stocked.must(["volume", "ls", "-q"]))).toStrictEqual(["empty", "site"]);
    await stocked.must(["volume", "rm", "site", "empty"]);
    expect(await stocked.must(["volume", "ls", "-q"])).toBe("");
    expect((await stocked.host.sampan(["volume", "rm", "site"])).stderr).toContain("there is none of this name");
    expect(await stocked.must(["volume", "rm", "-f", "site"])).toBe("site");
  });

  it("anonymous volumes go with rm -v, are left by rm, and are pruned; named ones only with --all", async () => {
    const image = stocked.image("busybox");
    await stocked.must(["create", "--name", "a", "-v", "/one", image]).catch(() => "");
    await stocked.must(["create", "--name", "aa", "-v", "/one", image]);
    await stocked.must(["create", "--name", "bb", "-v", "/two", "--volumes-from", "aa:ro", image]);
    await stocked.must(["volume", "create", "kept"]);
    // The other container has come to use it.
    await stocked.must(["rm", "-v", "aa"]);
    expect(lines(await stocked.must(["volume", "ls", "-q"]))).toHaveLength(3);
    await stocked.must(["rm", "bb"]);
    expect(lines(await stocked.must(["volume", "ls", "-q", "-f", "dangling=true"]))).toHaveLength(3);
    expect(lines(await stocked.must(["volume", "prune", "-f"]))).toHaveLength(2);
    expect(await stocked.must(["volume", "ls", "-q"])).toBe("kept");
    expect(await stocked.must(["volume", "prune", "-f", "--all"])).toBe("kept");
    expect(await stocked.host.must(["ls", "-A", join(stocked.host.root, "volumes")])).toBe("");
  });

  it("options of the local driver are a mount that all containers share, and that goes with the volume", async () => {
    const options = ["--opt", "type=tmpfs", "--opt", "device=tmpfs", "--opt", "o=size=1m,mode=1770,noexec"];
    await stocked.must(["volume", "create", ...options, "scratch"]);
    expect(await mounts()).toBe(0);
    await stocked.mustShell(
      ["-v", "scratch:/s"],
      "echo shared > /s/f; test $(stat -c %a /s) = 1770; grep ' /s ' /proc/mounts | grep -q noexec",
    );
    expect(await stocked.mustShell(["-v", "scratch:/s"], "cat /s/f")).toBe("shared");
    const full = await stocked.shell(["-v", "scratch:/s"], "dd if=/dev/zero of=/s/big bs=1k count=2048");
    expect(full.stderr).toContain("No space left");
    await stocked.must([
      "volume",
      "create",
      "--opt",
      "type=none",
      "--opt",
      "o=bind",
      "--opt",
      `device=${stocked.host.files}`,
      "bound",
    ]);
    await stocked.mustShell(["--mount", "type=volume,src=bound,dst=/b"], "echo y > /b/from-container");
    expect(await stocked.host.must(["cat", join(stocked.host.files, "from-container")])).toBe("y");
    expect(await mounts()).toBe(2);
    await stocked.must(["volume", "rm", "scratch", "bound"]);
    expect(await mounts()).toBe(0);
    expect(await stocked.host.must(["cat", join(stocked.host.files, "from-container")])).toBe("y");
  });

  it.each([
    [["--opt", "size=1m", "x"], 'the local driver has no option "size"'],
    [["--opt", "type=none", "--opt", "device=/x", "x"], "it needs an option type, or o=bind"],
    [["--opt", "type=none", "--opt", "o=bind", "--opt", "device=x", "x"], "device is not an absolute path"],
    [["--driver", "nfs", "x"], "there is only local"],
    [["a/b"], "its name may have letters"],
  ])("volume create %j is refused", async (args, problem) => {
    const { code, stderr } = await stocked.host.sampan(["volume", "create", ...args]);
    expect({ code, stderr }).toStrictEqual({ code: 1, stderr: expect.stringContaining(problem) as string });
  });

  it("a filesystem that can't be mounted is an error of the container that needs it, and leaves nothing", async () => {
    await stocked.must(["volume", "create", "--opt", "type=ext4", "--opt", "device=/dev/none", "broken"]);
    const { code, stderr } = await stocked.shell(["-v", "broken:/b"], "true");
    expect(code).toBe(125);
    expect(stderr).toMatch(/^sampan: Cannot .*ext4.*\n$/);
    expect(await stocked.containers()).toStrictEqual([]);
    await stocked.must(["volume", "rm", "broken"]);
  });
});

describe("secrets and configuration files", () => {
  it("are read-only files in memory, with owner and mode, and nowhere on a disk", async () => {
    const file = join(stocked.host.files, "token");
    await writeFile(file, "from-a-file");
    const flags = [
      "--secret",
      `src=${file},id=one,mode=0400,uid=5,gid=6`,
      "--secret",
      "env=TOKEN",
      "--config",
      `src=${file},target=/etc/app.conf`,
    ];
    const script = [
      "stat -c '%n %a %u:%g %s' /run/secrets/one /run/secrets/TOKEN /etc/app.conf",
      "cat /run/secrets/TOKEN; echo",
      "(echo x > /run/secrets/TOKEN) 2>&1",
    ].join("; ");
    const value = `secret-${"7".repeat(20)}`;
    const { stdout } = await stocked.shell(flags, script, { env: { TOKEN: value } });
    expect(lines(stdout)).toStrictEqual([
      "/run/secrets/one 400 5:6 11",
      `/run/secrets/TOKEN 444 0:0 ${value.length}`,
      "/etc/app.conf 444 0:0 11",
      value,
      "sh: can't create /run/secrets/TOKEN: Read-only file system",
    ]);
    const found = await stocked.host.run(["grep", "-rl", value, stocked.host.root, stocked.host.state]);
    expect(found.stdout).toBe("");
  });

  it("one from a variable is there at the next start too, and goes with the container", async () => {
    const image = stocked.image("busybox");
    const args = ["create", "--name", "keeps", "--secret", "env=TOKEN", image, "cat", "/run/secrets/TOKEN"];
    await stocked.must(args, { env: { TOKEN: "abc" } });
    expect(await stocked.must(["start", "-a", "keeps"])).toBe("abc");
    expect(await stocked.must(["start", "-a", "keeps"])).toBe("abc");
    const kept = "find /dev/shm /run -path '*secrets*' -type f | wc -l";
    expect(await stocked.host.must(["sh", "-c", kept])).toBe("1");
    await stocked.must(["rm", "keeps"]);
    expect(await stocked.host.must(["sh", "-c", kept])).toBe("0");
  });

  it.each([
    [["--secret", "env=NOT_SET"], 'variable "NOT_SET" is not set'],
    [["--secret", "src=/none"], 'Cannot read secret "none" from "/none"'],
    [["--secret", "src=/etc/hosts,env=X"], "it needs either src=FILE or env=NAME"],
    [["--secret", "src=/etc/hosts,mode=9"], "mode is not octal"],
    [["--secret", "src=/etc/hosts,target=/a/../b"], "it is not an absolute path"],
    [["--secret", "src=/etc/hosts", "--secret", "src=/etc/hosts"], "another one is there"],
    [["--secret", "src=/etc/hosts,colour=red"], '"colour" is no field of it'],
  ])("%j is refused", async (flags, problem) => {
    const { code, stderr } = await stocked.host.sampan(["create", ...flags, stocked.image("busybox")]);
    expect({ code, stderr }).toStrictEqual({ code: 1, stderr: expect.stringContaining(problem) as string });
  });
});
