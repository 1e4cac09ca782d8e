/** `sampan run`: the container's process: its command, user, environment, exit code, streams, signals and network. */
import { createHash, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually, StockedHost } from "../support/stocked-host.ts";
import type { HostProcess } from "../support/process.ts";

let stocked: StockedHost;
beforeAll(async () => (stocked = await StockedHost.create(["busybox", "configured", "multi"])));
afterAll(async () => await stocked[Symbol.asyncDispose]());

const run = async (image: string, flags: readonly string[], ...command: readonly string[]): Promise<string> =>
  await stocked.must(["run", "--rm", ...flags, stocked.image(image), ...command]);

/** Waits until a process has printed this text on stdout. */
async function printed(child: HostProcess, text: string): Promise<void> {
  let output = "";
  await new Promise<void>((resolve, reject) => {
    child.stdout.on("data", (data: Buffer) => {
      output += data.toString();
      if (output.includes(text)) resolve();
    });
    child.stdout.once("close", () => reject(new Error(`Cannot see "${text}": ${output}`)));
  });
}

describe("the image's configuration", () => {
  it("ENTRYPOINT and CMD run, arguments replace CMD, --entrypoint replaces both", async () => {
    expect(await run("configured", [])).toBe("uid=1000(app) gid=50(staff) groups=50(staff)");
    expect(await run("configured", [], "echo", "a b", "c")).toBe("a b c");
    expect(await run("configured", ["--entrypoint", "/bin/echo"], "x")).toBe("x");
    expect(await run("configured", ["--entrypoint", "pwd"])).toBe("/srv/dir");
    expect(await run("configured", ["--entrypoint", ""], "echo", "$0")).toBe("$0");
  });

  it("ENV, WORKDIR and USER apply, and the directory is made when it is missing", async () => {
    const script = 'echo "$GREETING"; echo "$HOME"; pwd; id -u; id -g; stat -c %u:%g /srv/dir';
    expect(await run("configured", [], "sh", "-c", script)).toBe("hello world\n/home/app\n/srv/dir\n1000\n50\n0:0");
  });

  it("STOPSIGNAL is what stop sends", async () => {
    const script = "trap 'echo USR1; exit 7' USR1; trap 'exit 8' TERM; echo ready; while :; do sleep 0.1; done";
    await stocked.must(["run", "-d", "--name", "stopped", stocked.image("configured"), "sh", "-c", script]);
    await eventually("ready", async () => (await stocked.must(["logs", "stopped"])) === "ready");
    await stocked.must(["stop", "stopped"]);
    expect(await stocked.must(["logs", "stopped"])).toBe("ready\nUSR1");
    expect(await stocked.must(["wait", "stopped"])).toBe("7");
    await stocked.must(["rm", "stopped"]);
  });

  it("--platform selects from an index; the host's own is the default", async () => {
    const native = process.arch === "x64" ? "amd64" : process.arch;
    const foreign = native === "amd64" ? "arm64" : "amd64";
    expect(await run("multi", [], "echo", "native")).toBe("native");
    expect(await run("multi", ["--platform", `linux/${native}`], "echo", "native")).toBe("native");
    const image = stocked.image("multi");
    const config = async (name: string, ...flags: readonly string[]): Promise<string> => {
      await stocked.must(["run", "--name", name, ...flags, image, "echo", name]);
      const { Image } = await stocked.inspect<{ readonly Image: string }>(name);
      await stocked.must(["rm", name]);
      return Image;
    };
    // What is in the foreign one is for this processor in truth.
    const configs = [await config("own"), await config("other", "--platform", `linux/${foreign}`), await config("own")];
    expect(configs[2]).toBe(configs[0]);
    expect(configs[1]).not.toBe(configs[0]);
    const wrong = await stocked.host.sampan(["run", "--rm", "--platform", "linux/s390x", image, "true"]);
    expect(wrong.code).toBe(125);
    expect(wrong.stderr).toContain("s390x");
  });
});

describe("user, environment and directory", () => {
  const id = async (...user: readonly string[]): Promise<string> => await run("busybox", user, "id");

  it("-u takes names and numbers; groups come from the image's /etc/group", async () => {
    const groups = "groups=29(audio),50(staff),1000(app)";
    expect(await id("-u", "app")).toBe(`uid=1000(app) gid=1000(app) ${groups}`);
    expect(await id("-u", "1000")).toBe(`uid=1000(app) gid=1000(app) ${groups}`);
    expect(await id("-u", "app:staff")).toBe("uid=1000(app) gid=50(staff) groups=50(staff)");
    expect(await id("-u", "1000:29")).toBe("uid=1000(app) gid=29(audio) groups=29(audio)");
    expect(await id("-u", "4242:4343")).toBe("uid=4242 gid=4343 groups=4343");
    expect(await id("-u", "4242")).toBe("uid=4242 gid=0(root) groups=0(root)");
    expect(await id()).toBe("uid=0(root) gid=0(root) groups=0(root)");
    expect(await id("-u", "nobody", "--group-add", "staff", "--group-add", "77")).toMatch(
      /^uid=65534\(nobody\) gid=65534\(nogroup\) groups=50\(staff\),77,65534\(nogroup\)$/,
    );
  });

  it("-e, --env-file and the shell's own variables set the environment, the last one wins", async () => {
    const file = join(stocked.host.files, "variables");
    await writeFile(file, '# a comment\nONE=from file\nTWO="kept quotes"\n\nPASSED\nUNSET\n');
    const flags = ["--env-file", file, "-e", "ONE=from flag", "-e", "EMPTY=", "-e", "A=b=c", "-e", "OTHER"];
    const command = ["run", "--rm", ...flags, stocked.image("busybox"), "env"];
    const output = await stocked.must(command, { env: { PASSED: "through", OTHER: "too" } });
    const variables = output.split("\n").filter((line) => !line.startsWith("HOSTNAME="));
    expect(variables.sort()).toStrictEqual([
      "A=b=c",
      "EMPTY=",
      "HOME=/root",
      "ONE=from flag",
      "OTHER=too",
      "PASSED=through",
      "PATH=/usr/local/bin:/usr/bin:/bin",
      'TWO="kept quotes"',
    ]);
  });

  it("-w is made when it is missing, --hostname is the name in all places", async () => {
    expect(await run("busybox", ["-w", "/new/dir"], "pwd")).toBe("/new/dir");
    const script = "hostname; cat /etc/hostname; tail -1 /etc/hosts; echo $HOSTNAME";
    expect(await run("busybox", ["--network", "none", "--hostname", "vessel"], "sh", "-c", script)).toBe(
      "vessel\nvessel\n127.0.1.1\tvessel\nvessel",
    );
  });
});

describe("exit codes", () => {
  const code = async (...args: readonly string[]): Promise<number> =>
    (await stocked.host.sampan(["run", "--rm", ...args])).code;

  it("run gives that of the command, 125 for its own failures, 126 and 127 for commands that can't be run", async () => {
    const image = stocked.image("busybox");
    expect({
      zero: await code(image, "true"),
      own: await code(image, "sh", "-c", "exit 42"),
      usage: await code("--no-such-flag", image),
      image: await code("127.0.0.1:1/none:1", "true"),
      directory: await code(image, "/etc"),
      notExecutable: await code(image, "/etc/passwd"),
      missing: await code(image, "no-such-command"),
      missingPath: await code(image, "/no/such/command"),
    }).toStrictEqual({
      zero: 0,
      own: 42,
      usage: 125,
      image: 125,
      directory: 126,
      notExecutable: 126,
      missing: 127,
      missingPath: 127,
    });
    expect(await stocked.containers()).toStrictEqual([]);
  });

  it("run gives 128+n when signal n ended the command", async () => {
    const image = stocked.image("busybox");
    const args = ["run", "--rm", "--name", "killed", image, "sh", "-c", "echo up; exec sleep 99"];
    const child = stocked.host.spawnSampan(args);
    await printed(child, "up");
    await stocked.must(["kill", "killed"]);
    expect(await child.exited).toBe(137);
    // Process 1 ignores all other signals that it has no handler for; one below an init doesn't.
    for (const [signal, expected] of [
      ["SEGV", 139],
      ["TERM", 143],
      ["USR2", 140],
    ] as const)
      expect(await code("--init", image, "sh", "-c", `kill -s ${signal} $$; sleep 9`)).toBe(expected);
  });
});

describe("streams and signals", () => {
  it("-i sends all of stdin, from a pipe and from a file, and then its end", async () => {
    const data = randomBytes(2 ** 20 + 1);
    const hash = createHash("sha256").update(data).digest("hex");
    const command = ["run", "--rm", "-i", stocked.image("busybox"), "sha256sum"];
    expect((await stocked.host.sampan(command, { input: data })).stdout).toBe(`${hash}  -\n`);
    const file = join(stocked.host.files, "input");
    await writeFile(file, data);
    const program = join(import.meta.dirname, "../../sampan");
    const { stdout, stderr, code } = await stocked.host.run([
      "sh",
      "-c",
      'f=$1; shift; exec "$@" < "$f"',
      "sh",
      file,
      program,
      ...command,
    ]);
    expect({ stdout, stderr, code }).toStrictEqual({ stdout: `${hash}  -\n`, stderr: "", code: 0 });
  });

  it("-i ends with the container, though stdin stays open; without -i stdin is empty", async () => {
    const child = stocked.host.spawnSampan([
      "run",
      "--rm",
      "-i",
      stocked.image("busybox"),
      "sh",
      "-c",
      "read x; exit $x",
    ]);
    child.stdin.write("9\n");
    expect(await child.exited).toBe(9);
    expect((await stocked.shell([], "cat; echo end", { input: "not for it" })).stdout).toBe("end\n");
  });

  it("20 MB of output arrive whole, and stdout and stderr stay apart", async () => {
    const size = 20 * 2 ** 20;
    const child = stocked.host.spawnSampan([
      "run",
      "--rm",
      stocked.image("busybox"),
      "sh",
      "-c",
      `seq 3000000 | head -c ${size}; echo e >&2`,
    ]);
    const hash = createHash("sha256");
    let received = 0;
    let errors = "";
    child.stdout.on("data", (data: Buffer) => {
      received += data.length;
      hash.update(data);
    });
    child.stderr.on("data", (data: Buffer) => (errors += data.toString()));
    expect(await child.exited).toBe(0);
    expect({ received, errors }).toStrictEqual({ received: size, errors: "e\n" });
    const expected = await stocked.host.must(["sh", "-c", `seq 3000000 | head -c ${size} | sha256sum`]);
    expect(`${hash.digest("hex")}  -`).toBe(expected);
  });

  it("a reader that stops early does not hang or fail the client", async () => {
    const program = join(import.meta.dirname, "../../sampan");
    const script = `"$1" run --rm "$2" sh -c 'seq 1000000; exit 3' | head -1; echo "\${PIPESTATUS[0]}"`;
    const { stdout, code } = await stocked.host.run(["bash", "-c", script, "bash", program, stocked.image("busybox")]);
    expect({ lines: stdout, code }).toStrictEqual({ lines: "1\n3\n", code: 0 });
  });

  it("SIGTERM, SIGINT and SIGUSR1 to the client reach the container, whose exit code it passes on", async () => {
    const traps = "trap 'echo INT' INT; trap 'echo USR1' USR1; trap 'echo TERM; exit 5' TERM";
    const script = `${traps}; echo up; while :; do sleep 0.05; done`;
    const child = stocked.host.spawnSampan(["run", "--rm", stocked.image("busybox"), "sh", "-c", script]);
    for (const [signal, text] of [
      ["SIGINT", "INT"],
      ["SIGUSR1", "USR1"],
      ["SIGTERM", "TERM"],
    ] as const) {
      if (signal === "SIGINT") await printed(child, "up");
      const seen = printed(child, text);
      await child.signal(signal);
      await seen;
    }
    expect(await child.exited).toBe(5);
  });

  it("--sig-proxy=false leaves the container running when the client is told to end", async () => {
    const args = [
      "run",
      "--sig-proxy=false",
      "--name",
      "left",
      stocked.image("busybox"),
      "sh",
      "-c",
      "echo up; exec sleep 99",
    ];
    const child = stocked.host.spawnSampan(args);
    await printed(child, "up");
    await child.signal("SIGTERM");
    expect(await child.exited).toBe(143);
    expect((await stocked.inspect("left")).State.Running).toBe(true);
    await stocked.must(["rm", "-f", "left"]);
  });

  it("--init is pid 1, forwards signals, reaps orphans and passes on the exit code", async () => {
    const script = `tr '\\0' ' ' < /proc/1/cmdline; (sh -c 'sleep 0.1 &'); sleep 0.5
      echo "zombies: $(grep -l '^State:.Z' /proc/[0-9]*/status)"; trap 'exit 6' TERM; echo up; while :; do sleep 0.05; done`;
    const child = stocked.host.spawnSampan(["run", "--rm", "--init", stocked.image("busybox"), "sh", "-c", script]);
    let output = "";
    child.stdout.on("data", (data: Buffer) => (output += data.toString()));
    await printed(child, "up\n");
    await child.signal("SIGTERM");
    expect(await child.exited).toBe(6);
    expect(output).toMatch(/^keel init -- sh -c /);
    expect(output).toContain("zombies: \nup");
  });

  it("--init passes on 128+n and 127", async () => {
    expect((await stocked.shell(["--init"], "kill -9 $$")).code).toBe(137);
    const missing = await stocked.host.sampan(["run", "--rm", "--init", stocked.image("busybox"), "no-such-command"]);
    expect({ code: missing.code, lines: missing.stderr.split("\n").length }).toStrictEqual({ code: 127, lines: 2 });
  });
});

describe("network", () => {
  it("--network host shares the host's interfaces, listeners and hostname", async () => {
    const own = await stocked.host.must(["readlink", "/proc/self/ns/net"]);
    const script = "readlink /proc/self/ns/net; hostname; wget -q -O - http://$0/v2/ && echo";
    const command = ["run", "--rm", "--network", "host", stocked.image("busybox"), "sh", "-c", script];
    expect(await stocked.must([...command, stocked.registry.address])).toBe(`${own}\nsampan-test\n{}`);
  });

  it("--network container:NAME shares its address: a listener of one is reached from the other, not from outside", async () => {
    const server = "mkdir /www; echo served > /www/index.html; exec httpd -f -p 127.0.0.1:8080 -h /www";
    await stocked.must([
      "run",
      "-d",
      "--name",
      "server",
      "--hostname",
      "shared",
      stocked.image("busybox"),
      "sh",
      "-c",
      server,
    ]);
    const client =
      "for i in 1 2 3 4 5 6 7 8 9; do wget -q -O - http://127.0.0.1:8080/ && break; sleep 0.2; done; hostname";
    const joined = await stocked.mustShell(["--network", "container:server"], client);
    expect(joined.split("\n")[0]).toBe("served");
    const refused = await stocked.shell([], "wget -q -O - http://127.0.0.1:8080/");
    expect({ code: refused.code, stdout: refused.stdout }).toStrictEqual({ code: 1, stdout: "" });
    expect((await stocked.host.run(["curl", "-s", "http://127.0.0.1:8080/"])).code).toBe(7);
    await stocked.must(["rm", "-f", "server"]);
  });
});
