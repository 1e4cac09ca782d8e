/** Containers over their life, by the command line: in the background, looked at, attached to, stopped, started again. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkout } from "../support/checkout.ts";
import { StockedHost } from "../support/stocked-host.ts";

let stocked: StockedHost;
let image: string;
beforeAll(async () => {
  stocked = await StockedHost.create(["busybox"]);
  image = stocked.image("busybox");
});
afterAll(async () => await stocked[Symbol.asyncDispose]());

const background = async (name: string, ...words: readonly string[]): Promise<string> =>
  await stocked.must(["run", "-d", "--name", name, image, ...words]);

async function until(what: string, check: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (await check()) return;
    await sleep(50);
  }
  throw new Error(`Cannot see in ten seconds: ${what}`);
}

describe("in the background", () => {
  it("run -d prints the id; ps, inspect and short ids find it; rm refuses until it has ended", async () => {
    const id = await background("looked-at", "sleep", "1000");
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect(await stocked.must(["ps", "-q", "--no-trunc"])).toBe(id);
    expect(await stocked.must(["ps"])).toMatch(
      /CONTAINER ID +IMAGE .*\n[0-9a-f]{12} .* "sleep 1000" .* Up .* looked-at$/,
    );
    expect(JSON.parse(await stocked.must(["ps", "--format", "json"]))).toMatchObject({
      Names: "looked-at",
      State: "running",
    });
    expect((await stocked.inspect(id.slice(0, 6))).Id).toBe(id);
    const refused = await stocked.host.sampan(["rm", "looked-at"]);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain('Cannot remove container "looked-at": it is running. Stop it first');
    await stocked.must(["rm", "-f", "looked-at"]);
    expect(await stocked.containers()).toStrictEqual([]);
  });

  it("stop sends the stop signal, and SIGKILL after the time; wait prints the exit code; start starts again", async () => {
    await background("polite", "sh", "-c", "trap 'exit 7' TERM; echo up; while :; do sleep 0.05; done");
    await until("the trap is set", async () => (await stocked.must(["logs", "polite"])) === "up");
    await stocked.must(["stop", "polite"]);
    expect(await stocked.must(["wait", "polite"])).toBe("7");
    await stocked.must(["start", "polite"]);
    await until("it is up again", async () => (await stocked.must(["logs", "polite"])) === "up\nup");
    await stocked.must(["kill", "-s", "TERM", "polite"]);
    expect(await stocked.must(["wait", "polite"])).toBe("7");
    await background("stubborn", "sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.05; done");
    await until("the trap is set", async () => (await stocked.must(["logs", "stubborn"])) === "up");
    await stocked.must(["stop", "-t", "1", "stubborn"]);
    expect(await stocked.must(["wait", "stubborn"])).toBe("137");
    await stocked.must(["rm", "polite", "stubborn"]);
  });

  it("a name is taken once; run --rm -d leaves nothing when it ends", async () => {
    await background("taken", "true");
    const second = await stocked.host.sampan(["run", "--name", "taken", image, "true"]);
    expect(second).toMatchObject({ code: 125, stdout: "" });
    expect(second.stderr).toContain('Cannot use name "taken": container ');
    await stocked.must(["rm", "-f", "taken"]);
    await stocked.must(["run", "-d", "--rm", image, "sleep", "0.2"]);
    await until("it is removed", async () => (await stocked.containers()).length === 0);
  });
});

describe("logs", () => {
  it("prints all, the last lines, times; -f goes on to the end", async () => {
    await background(
      "writer",
      "sh",
      "-c",
      "for i in 1 2 3; do echo line $i; sleep 0.3; done; echo err >&2; printf end",
    );
    const followed = await stocked.host.sampan(["logs", "-f", "writer"]);
    expect(followed).toMatchObject({ code: 0, stdout: "line 1\nline 2\nline 3\nend\n", stderr: "err\n" });
    expect(await stocked.must(["logs", "--tail", "2", "writer"])).toBe("end");
    expect((await stocked.must(["logs", "-t", "writer"])).split("\n")[0]).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z line 1$/,
    );
    expect(
      await stocked.must(["logs", "--since", "2000-01-01T00:00:00Z", "--until", "2000-01-02T00:00:00Z", "writer"]),
    ).toBe("");
    await stocked.must(["rm", "writer"]);
  });
});

describe("exec and attach", () => {
  it("exec runs in the container, as a user, with variables, in a directory, and gives its exit code", async () => {
    await background("host", "sleep", "1000");
    const exec = async (...words: string[]) => await stocked.host.sampan(["exec", ...words]);
    expect(await exec("-e", "A=1", "-w", "/etc", "host", "sh", "-c", "echo $A $PWD; exit 9")).toMatchObject({
      code: 9,
      stdout: "1 /etc\n",
    });
    expect((await exec("-u", "12:34", "host", "id")).stdout).toContain("uid=12 gid=34");
    expect((await exec("host", "readlink", "/proc/1/ns/pid")).stdout).toBe(
      (await exec("host", "readlink", "/proc/self/ns/pid")).stdout,
    );
    expect((await exec("host", "nosuch")).code).toBe(127);
    expect((await exec("host", "/etc")).code).toBe(126);
    const piped = await stocked.host.sampan(["exec", "-i", "host", "cat"], { input: "through" });
    expect(piped).toMatchObject({ code: 0, stdout: "through" });
    await stocked.must(["rm", "-f", "host"]);
    expect((await exec("host", "true")).stderr).toContain('Cannot find container "host"');
  });

  it("attach gives the output from now on and the exit code", async () => {
    await background("talker", "sh", "-c", "while [ ! -e /go ]; do sleep 0.05; done; echo gone; exit 4");
    const attached = stocked.host.sampan(["attach", "talker"]);
    await sleep(1500);
    await stocked.must(["exec", "talker", "touch", "/go"]);
    expect(await attached).toMatchObject({ code: 4, stdout: "gone\n" });
    await stocked.must(["rm", "talker"]);
  });

  it("run -it and exec -it give a terminal of the caller's size", async () => {
    const script = (command: string) => ["script", "-qec", `stty rows 33 cols 99; ${command}`, "/dev/null"];
    const program = join(checkout, "sampan");
    // script(1) sends the end of its own input, which the terminal may echo before it is raw.
    const shown = (output: string): string => output.replace("^@", "");
    const ran = await stocked.host.run(script(`${program} run -it --rm ${image} sh -c 'tty; stty size; exit 3'`));
    expect(shown(ran.stdout)).toBe("/dev/pts/0\r\n33 99\r\n");
    expect(ran.code).toBe(3);
    await background("terminal", "sleep", "1000");
    const exec = await stocked.host.run(script(`${program} exec -it terminal sh -c 'tty; stty size'`));
    expect(shown(exec.stdout)).toBe("/dev/pts/0\r\n33 99\r\n");
    await stocked.must(["rm", "-f", "terminal"]);
  });
});

describe("whoever started it", () => {
  it("may be killed, keel's server too: the container runs on, and another client finds it", async () => {
    const child = stocked.host.spawnSampan([
      "run",
      "--name",
      "orphan",
      "--rm",
      image,
      "sh",
      "-c",
      "echo up; sleep 1000",
    ]);
    await until("it runs", async () => (await stocked.host.sampan(["logs", "orphan"])).stdout === "up\n");
    const state = join(stocked.host.state, "containers", (await stocked.inspect("orphan")).Id);
    const monitor = (await readFile(join(state, "pid"), "utf8")).split(" ")[2] ?? "";
    const server = await stocked.host.must(["sh", "-c", `awk '/^PPid/ {print $2}' /proc/${monitor}/status`]);
    const client = await stocked.host.must(["sh", "-c", `awk '/^PPid/ {print $2}' /proc/${server}/status`]);
    await stocked.host.must(["kill", "-9", client, server]);
    await child.exited;
    expect(await stocked.must(["exec", "orphan", "echo", "still here"])).toBe("still here");
    expect(await stocked.must(["logs", "orphan"])).toBe("up");
    await stocked.must(["kill", "orphan"]);
    await until("its monitor has it removed", async () => (await stocked.containers()).length === 0);
  });

  it("ten at once on one root do not get in each other's way", async () => {
    const runs = Array.from({ length: 10 }, async (_, i) => await stocked.shell([], `exit ${i}`));
    expect((await Promise.all(runs)).map((r) => r.code)).toStrictEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await stocked.containers()).toStrictEqual([]);
  });
});
