/** `sampan ctr` as a user of containerd's client knows it: the words are those of ctr 1.6. */
import { join } from "node:path";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CommandResult } from "../support/process.ts";
import { testImage } from "../support/images.ts";
import { Registry } from "../support/registry.ts";
import { TestHost } from "../support/testhost.ts";

const redis = "docker.io/library/redis:latest";
let host: TestHost;
let registry: Registry;
beforeAll(async () => {
  host = await TestHost.create();
  registry = await Registry.start({ host });
  await registry.push(await testImage("busybox"), "library/redis:latest", ["--multi-arch", "all"]);
  const hosts = join(host.files, "certs.d", "docker.io");
  await mkdir(hosts, { recursive: true });
  await writeFile(
    join(hosts, "hosts.toml"),
    `server = "https://registry.invalid"\n[host."http://${registry.address}"]\n  capabilities = ["pull", "resolve"]\n`,
  );
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

const run = async (...args: readonly string[]): Promise<CommandResult> =>
  await host.sampan(["ctr", ...args], { env: { SAMPAN_HOSTS_DIR: join(host.files, "certs.d") } });
/** What it prints; it must succeed and complain of nothing. */
const ctr = async (...args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await run(...args);
  expect({ code, stderr }, args.join(" ")).toStrictEqual({ code: 0, stderr: "" });
  return stdout;
};
const fails = async (...args: readonly string[]): Promise<string> => {
  const { code, stderr } = await run(...args);
  expect(code, args.join(" ")).toBe(1);
  return stderr;
};

describe("sampan ctr", () => {
  it("goes the way from an image to a container and back", async () => {
    const pulled = await ctr("images", "pull", redis);
    expect(pulled).toMatch(/^docker\.io\/library\/redis:latest: +resolved {7}\|/);
    expect(pulled).toMatch(/\nmanifest-sha256:[0-9a-f]{64}: done {11}\|/);
    expect(pulled).toMatch(/\nlayer-sha256:[0-9a-f]{64}: +done {11}\|/);
    expect(pulled).toMatch(/\nunpacking linux\/amd64 sha256:[0-9a-f]{64}\.\.\.\ndone: [\d.]+m?s\t\n$/);
    const list = await ctr("images", "list");
    expect(list).toMatch(/^REF {28}TYPE +DIGEST +SIZE +PLATFORMS +LABELS \n/);
    expect(list).toMatch(
      /\ndocker\.io\/library\/redis:latest application\/vnd\.oci\.image\.\w+\.v1\+json sha256:[0-9a-f]{64} [\d.]+ [KM]iB +linux\/amd64\S* +- +\n$/,
    );
    expect(await ctr("i", "ls", "-q")).toBe(`${redis}\n`);
    expect(await ctr("container", "create", redis, "redis", "sh", "-c", "echo ready; exit 4")).toBe("");
    expect(await ctr("container", "list")).toBe(
      `CONTAINER    IMAGE                             RUNTIME    \nredis        ${redis}    sampan     \n`,
    );
    expect(await run("task", "start", "redis")).toMatchObject({ code: 4, stdout: "ready\n" });
    // Started in the foreground, it is as if it never had been when it has ended.
    expect(await ctr("task", "ls")).toBe("TASK    PID    STATUS    \n");
    expect(await run("task", "start", "redis")).toMatchObject({ code: 4, stdout: "ready\n" });
    expect(await ctr("container", "delete", "redis")).toBe("");
    expect(await ctr("container", "list")).toBe("CONTAINER    IMAGE    RUNTIME    \n");
  });

  it("tasks run in the background, are seen, entered, paused, killed and deleted", async () => {
    await ctr("c", "create", redis, "bg", "sleep", "1000");
    await ctr("t", "start", "-d", "bg");
    expect(await ctr("tasks", "ls")).toMatch(/^TASK {4}PID +STATUS {4}\nbg {6}\d+ +RUNNING\n$/);
    expect(await fails("task", "start", "bg")).toBe("ctr: task bg: already exists\n");
    expect(await ctr("task", "exec", "--exec-id", "one", "bg", "echo", "hi")).toBe("hi\n");
    expect(await run("task", "exec", "--exec-id", "two", "bg", "sh", "-c", "cat; exit 3")).toMatchObject({ code: 3 });
    expect(
      await ctr("task", "exec", "--exec-id", "x", "--cwd", "/tmp", "--user", "12", "bg", "sh", "-c", "id -u; pwd"),
    ).toBe("12\n/tmp\n");
    expect(await ctr("task", "ps", "bg")).toMatch(/^PID +INFO\n\d+ +-\n$/);
    await ctr("task", "pause", "bg");
    expect(await ctr("task", "ls")).toContain("PAUSED\n");
    await ctr("task", "resume", "bg");
    expect(await ctr("task", "metrics", "bg")).toMatch(
      /^ID {4}TIMESTAMP +\nbg {4}\d{4}-.* \+0000 UTC +\n\nMETRIC +VALUE +\n[^]*\npids\.limit +0 +\n$/,
    );
    expect(JSON.parse(await ctr("task", "metrics", "--format", "json", "bg"))).toMatchObject({
      id: "bg",
      "pids.current": "1",
    });
    expect(await fails("container", "delete", "bg")).toMatch(/^ctr: cannot delete a non stopped container: \{running /);
    expect(await fails("task", "delete", "bg")).toBe(
      "ctr: task must be stopped before deletion: running: failed precondition\n",
    );
    await ctr("task", "kill", "-s", "KILL", "bg");
    await host.sampan(["wait", "bg"]);
    expect(await ctr("task", "ls")).toContain("STOPPED\n");
    expect(await fails("task", "kill", "bg")).toBe("ctr: no running task found: task bg not found: not found\n");
    expect(await run("task", "delete", "bg")).toMatchObject({
      code: 0,
      stderr: "task bg exit with non-zero exit code 137\n",
    });
    expect(await ctr("task", "ls", "-q")).toBe("");
    await ctr("task", "start", "-d", "bg");
    expect((await run("task", "delete", "-f", "bg")).code).toBe(0);
    await ctr("c", "rm", "bg");
  });

  it("run attaches, gives the exit code, and cleans up when it is to", async () => {
    expect(await ctr("run", "--rm", redis, "one", "echo", "hello")).toBe("hello\n");
    expect((await run("run", "--rm", redis, "two", "sh", "-c", "exit 4")).code).toBe(4);
    expect(await ctr("run", "--rm", "--env", "A=b", "--cwd", "/tmp", redis, "three", "sh", "-c", "echo $A; pwd")).toBe(
      "b\n/tmp\n",
    );
    const mount = `type=bind,src=${host.files},dst=/host,options=rbind:ro`;
    const written = await run("run", "--rm", "--mount", mount, redis, "four", "sh", "-c", "touch /host/x");
    expect(written.stderr).toContain("Read-only file system");
    // As with containerd, there is no network unless it is asked for, and no way to more rights.
    const state = "grep -c : /proc/net/dev; grep NoNewPrivs /proc/self/status";
    expect(await ctr("run", "--rm", redis, "five", "sh", "-c", state)).toBe("1\nNoNewPrivs:\t1\n");
    const pidFile = join(host.files, "pid");
    await ctr("run", "-d", "--pid-file", pidFile, redis, "six", "sleep", "1000");
    expect(Number(await readFile(pidFile, "utf8"))).toBeGreaterThan(1);
    expect((await run("task", "rm", "-f", "six")).code).toBe(0);
    await ctr("c", "rm", "six");
    expect(await fails("run", "--rm", "-d", redis, "seven")).toContain("--rm with --detach");
    expect(await ctr("c", "ls", "-q")).toBe("");
  });

  it("images are tagged, written, read, pushed and removed", async () => {
    const other = "docker.io/library/cache:2";
    expect(await ctr("images", "tag", redis, other)).toBe(`${other}\n`);
    expect(await fails("images", "tag", redis, other)).toBe(`ctr: image "${other}": already exists\n`);
    expect(await ctr("images", "tag", "--force", redis, other)).toBe(`${other}\n`);
    const file = join(host.files, "cache.tar");
    expect(await ctr("images", "export", file, other)).toBe("");
    expect(await ctr("images", "rm", other)).toBe(`${other}\n`);
    expect(await run("images", "rm", other)).toMatchObject({ code: 0, stderr: `${other}: image not found\n` });
    expect(await ctr("images", "import", file)).toMatch(
      /^unpacking docker\.io\/library\/cache:2 \(sha256:[0-9a-f]{64}\)\.\.\.done\n$/,
    );
    const remote = `${registry.address}/pushed/cache:1`;
    expect(await ctr("images", "push", "--plain-http", remote, other)).toMatch(/\nelapsed: [\d.]+ s/);
    expect((await host.run(["curl", "-s", `http://${registry.address}/v2/pushed/cache/tags/list`])).stdout).toContain(
      '"1"',
    );
    expect(await ctr("images", "ls", "-q")).toBe(`${other}\n${redis}\n`);
  });

  it("containers info and namespaces", async () => {
    await ctr("c", "create", "--label", "a=b", redis, "told", "sleep", "9");
    const info = JSON.parse(await ctr("container", "info", "told")) as Record<string, unknown>;
    expect(info).toMatchObject({
      ID: "told",
      Image: redis,
      Labels: { a: "b" },
      Spec: { process: { args: ["sleep", "9"] } },
    });
    expect(await ctr("ns", "create", "foo", "a=b")).toBe("");
    expect(await ctr("namespaces", "ls")).toBe("NAME    LABELS \ndefault        \nfoo     a=b    \n");
    expect(await ctr("-n", "foo", "c", "ls", "-q")).toBe("");
    expect(await ctr("--namespace", "foo", "images", "ls", "-q")).toBe("");
    expect(await ctr("ns", "rm", "foo")).toBe("foo\n");
    await ctr("c", "rm", "told");
  });

  it("bad input is told in containerd's words, and leaves nothing", async () => {
    expect(await fails("container", "delete", "nosuch")).toBe(
      'ctr: container "nosuch" in namespace "default": not found\n',
    );
    expect(await fails("task", "start", "nosuch")).toBe('ctr: container "nosuch" in namespace "default": not found\n');
    expect(await fails("container", "create")).toBe("ctr: image ref must be provided: invalid argument\n");
    expect(await fails("container", "create", redis)).toBe("ctr: container id must be provided: invalid argument\n");
    expect(await fails("task", "start")).toBe("ctr: container id must be provided\n");
    expect(await fails("run", "nosuch", "some")).toBe('ctr: image "nosuch": not found\n');
    expect(await fails("run", redis, "../x")).toMatch(/^ctr: Cannot /);
    expect(await fails("images", "pull", "UPPER")).toMatch(/^ctr: Cannot use image name "UPPER"/);
    expect(await fails("--frob")).toMatch(/^ctr: Cannot parse "--frob"/);
    for (const words of [["frob"], ["images", "frob"]]) {
      const { code, stderr } = await run(...words);
      expect({ code, stderr }).toMatchObject({ code: 3, stderr: expect.stringContaining("No help topic for 'frob'") });
    }
    expect(await ctr("images", "--help")).toContain("pull");
    expect(await ctr("--help")).toContain("images, image, i");
    expect(await ctr("c", "ls", "-q")).toBe("");
  });
});
