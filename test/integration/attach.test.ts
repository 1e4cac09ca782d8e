/** `exec`, `attach` and `run -it`: streams, terminals, sizes, detaching. */
import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Terminal } from "../support/pty.ts";
import { eventually, StockedHost } from "../support/stocked-host.ts";

let stocked: StockedHost;
const program = join(import.meta.dirname, "../../sampan");
beforeAll(async () => {
  stocked = await StockedHost.create(["busybox"]);
  await stocked.must(["run", "-d", "--name", "box", "-e", "OWN=1", stocked.image("busybox"), "sleep", "1000"]);
});
afterAll(async () => await stocked[Symbol.asyncDispose]());

const terminal = (...args: readonly string[]): Terminal => new Terminal(stocked.host, [program, ...args]);

describe("exec", () => {
  const exec = async (flags: readonly string[], script: string): Promise<string> =>
    await stocked.must(["exec", ...flags, "box", "sh", "-c", script]);

  it("exec runs in the container's namespaces, with its environment and no more rights than it has", async () => {
    const kinds = "pid mnt net ipc uts cgroup";
    const script = `for k in ${kinds}; do test $(readlink /proc/1/ns/$k) = $(readlink /proc/self/ns/$k) && echo $k; done
      echo "$OWN $HOME"; pwd; id; grep -E '^(CapEff|CapBnd|CapInh|Seccomp|NoNewPrivs):' /proc/self/status | tr -d '\\n'`;
    expect(await exec([], script)).toBe(
      `${kinds.replaceAll(" ", "\n")}\n1 /root\n/\nuid=0(root) gid=0(root) groups=0(root)\n` +
        "CapInh:\t0000000000000000CapEff:\t00000000a80425fbCapBnd:\t00000000a80425fbNoNewPrivs:\t0Seccomp:\t2",
    );
  });

  it("exec -u, -w and -e set user, directory and environment", async () => {
    const script = 'id; pwd; echo "$A $HOME"; grep CapEff /proc/self/status';
    expect(await exec(["-u", "app", "-w", "/tmp", "-e", "A=b c"], script)).toBe(
      "uid=1000(app) gid=1000(app) groups=29(audio),50(staff),1000(app)\n/tmp\nb c /home/app\nCapEff:\t0000000000000000",
    );
    expect(await exec(["-u", "4242:50"], "id -u; id -g")).toBe("4242\n50");
    expect(await exec(["--privileged"], "grep -c CapEff:.*a80425fb /proc/self/status; true")).toBe("0");
  });

  it("exec gives the command's exit code, 126 and 127 for one that can't be run", async () => {
    const code = async (...command: readonly string[]): Promise<number> =>
      (await stocked.host.sampan(["exec", "box", ...command])).code;
    expect({
      own: await code("sh", "-c", "exit 42"),
      signal: await code("sh", "-c", "kill -9 $$"),
      missing: await code("no-such-command"),
      notExecutable: await code("/etc/passwd"),
    }).toStrictEqual({ own: 42, signal: 137, missing: 127, notExecutable: 126 });
    const user = await stocked.host.sampan(["exec", "-u", "nosuch", "box", "true"]);
    expect({ code: user.code, stderr: user.stderr }).toStrictEqual({
      code: 125,
      stderr: expect.stringContaining("nosuch") as string,
    });
  });

  it("exec -i sends all of stdin; without -i it is empty", async () => {
    const data = randomBytes(2 ** 20 + 7);
    const hash = createHash("sha256").update(data).digest("hex");
    const sent = await stocked.host.sampan(["exec", "-i", "box", "sha256sum"], { input: data });
    expect(sent.stdout).toBe(`${hash}  -\n`);
    const unsent = await stocked.host.sampan(["exec", "box", "wc", "-c"], { input: "ignored" });
    expect(unsent.stdout).toBe("0\n");
  });

  it("exec keeps stdout and stderr apart, and loses nothing of 5 MB", async () => {
    const result = await stocked.host.sampan(["exec", "box", "sh", "-c", "seq 700000; echo e >&2"]);
    const expected = Array.from({ length: 700_000 }, (_, i) => `${i + 1}\n`).join("");
    expect({ same: result.stdout === expected, stderr: result.stderr }).toStrictEqual({ same: true, stderr: "e\n" });
  });

  it("exec -d leaves the command running", async () => {
    const result = await stocked.host.sampan(["exec", "-d", "box", "sh", "-c", "sleep 0.3; echo done > /tmp/detached"]);
    expect(result).toStrictEqual({ code: 0, stdout: "", stderr: "" });
    await eventually("the file", async () => (await exec([], "cat /tmp/detached 2>&1; true")) === "done");
  });

  it("exec -t gives a terminal of the caller's size that follows its changes", async () => {
    const shell = terminal("exec", "-it", "box", "sh");
    shell.type("tty; stty size; echo $TERM\n");
    await shell.until(/\/dev\/pts\/\d+\r\n24 80\r\nxterm\r\n/);
    shell.resize(40, 100);
    await eventually("the new size", async () => {
      const from = shell.shown.length;
      shell.type("stty size\n");
      await shell.until(/\d+ \d+\r\n/, from);
      return /40 100\r\n/.test(shell.shown.slice(from));
    });
    shell.type("exit 17\n");
    expect(await shell.exited).toBe(17);
  });

  it("exec -t passes ctrl-c to the command as the terminal does", async () => {
    const shell = terminal(
      "exec",
      "-it",
      "box",
      "sh",
      "-c",
      "trap 'echo interrupted; exit 18' INT; echo ready; while :; do sleep 0.1; done",
    );
    await shell.until(/ready/);
    shell.type("\x03");
    await shell.until(/interrupted/);
    expect(await shell.exited).toBe(18);
  });

  it("exec in a container that has ended is refused", async () => {
    await stocked.must(["run", "--name", "ended", stocked.image("busybox"), "true"]);
    const { code, stderr } = await stocked.host.sampan(["exec", "ended", "true"]);
    expect(code).toBe(125);
    expect(stderr).toContain("it is not running");
    await stocked.must(["rm", "ended"]);
  });
});

describe("attach", () => {
  it("attach shows output from now on, sends input, and ends with the container's exit code", async () => {
    const script = 'echo before; while read line; do echo "got $line"; test $line = end && exit 21; done';
    await stocked.must(["run", "-d", "-i", "--name", "listens", stocked.image("busybox"), "sh", "-c", script]);
    await eventually("its start", async () => (await stocked.must(["logs", "listens"])) === "before");
    const child = stocked.host.spawnSampan(["attach", "listens"]);
    let output = "";
    child.stdout.on("data", (data: Buffer) => (output += data.toString()));
    child.stdin.write("one\n");
    await eventually("an answer", () => output === "got one\n");
    child.stdin.write("end\n");
    expect(await child.exited).toBe(21);
    expect(output).toBe("got one\ngot end\n");
    expect(await stocked.must(["logs", "listens"])).toBe("before\ngot one\ngot end");
    await stocked.must(["rm", "listens"]);
  });

  it("attach to one that has ended is refused", async () => {
    await stocked.must(["run", "--name", "over", stocked.image("busybox"), "true"]);
    const { code, stderr } = await stocked.host.sampan(["attach", "over"]);
    expect(code).toBe(1);
    expect(stderr).toContain("it is not running");
    await stocked.must(["rm", "over"]);
  });

  it("two clients attached at once both see everything", async () => {
    await stocked.must(["run", "-d", "-i", "--name", "both", stocked.image("busybox"), "cat"]);
    const clients = [
      stocked.host.spawnSampan(["attach", "both"]),
      stocked.host.spawnSampan(["attach", "--no-stdin", "both"]),
    ];
    const outputs = clients.map(() => "");
    for (const [i, client] of clients.entries())
      client.stdout.on("data", (data: Buffer) => (outputs[i] = `${outputs[i]}${data.toString()}`));
    await eventually("both", () => {
      clients[0]?.stdin.write("x\n");
      return outputs.every((output) => output.includes("x\n"));
    });
    await stocked.must(["rm", "-f", "both"]);
    expect(await Promise.all(clients.map(async (client) => await client.exited))).toStrictEqual([137, 137]);
  });
});

describe("run -it", () => {
  it("run -it is a terminal with the caller's size from the first instruction, and raw", async () => {
    const shell = terminal(
      "run",
      "--rm",
      "-it",
      "--name",
      "shell",
      stocked.image("busybox"),
      "sh",
      "-c",
      "stty size; tty; exec sh",
    );
    await shell.until(/^24 80\r\n\/dev\/pts\/0\r\n/);
    shell.type("echo one; echo t\x7f\x7fwo\n");
    await shell.until(/one\r\n/);
    shell.type("exit 22\n");
    expect(await shell.exited).toBe(22);
  });

  it("ctrl-p ctrl-q detaches and leaves it running; attach goes on", async () => {
    const shell = terminal("run", "-it", "--name", "kept", stocked.image("busybox"), "sh");
    shell.type("VALUE=remembered\n");
    await shell.until(/# /);
    shell.type("\x10\x11");
    expect(await shell.exited).toBe(0);
    expect((await stocked.inspect("kept")).State.Running).toBe(true);
    const again = terminal("attach", "kept");
    await eventually("an answer", async () => {
      again.type("echo =$VALUE=\n");
      await new Promise((resolve) => setTimeout(resolve, 100));
      return again.shown.includes("=remembered=");
    });
    again.type("exit 23\n");
    expect(await again.exited).toBe(23);
    await stocked.must(["rm", "kept"]);
  });

  it("run -t without -i has a terminal too; a terminal's output has both streams in it", async () => {
    const { stdout, code } = await stocked.host.sampan([
      "run",
      "--rm",
      "-t",
      stocked.image("busybox"),
      "sh",
      "-c",
      "tty; echo e >&2",
    ]);
    expect({ stdout, code }).toStrictEqual({ stdout: "/dev/pts/0\r\ne\r\n", code: 0 });
  });
});
