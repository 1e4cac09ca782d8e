/** keel's `helper`: programs of the host that are run, waited for, and heard out. */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isSampanError } from "#errdefs";
import { KeelExecutor } from "#keel";
import type { Operation } from "#plan";
import { binaries } from "../support/keel-box.ts";

type Helper = Extract<Operation, { op: "helper" }>;

const shell = (script: string, more: Partial<Helper> = {}): Helper => ({
  op: "helper",
  path: "/bin/sh",
  arguments: ["helper", "-c", script],
  environment: ["ONLY=this"],
  input: new Uint8Array(0),
  timeout: 10_000,
  limit: 1000,
  succeed: false,
  lock: "",
  ...more,
});

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp("/var/tmp/sampan-helper-");
});
afterAll(async () => await rm(directory, { recursive: true }));

describe.each(binaries)("%s helper", (_, binary) => {
  async function run(helper: Helper): Promise<{ status: number; output: string; errors: string }> {
    await using keel = new KeelExecutor(binary);
    const answer = (await keel.execute([helper])).get(0) ?? new Uint8Array(0);
    const view = new DataView(answer.buffer, answer.byteOffset, answer.length);
    const end = 8 + view.getUint32(4, true);
    const text = (from: number, to?: number): string => new TextDecoder().decode(answer.subarray(from, to));
    return { status: view.getUint32(0, true), output: text(8, end), errors: text(end) };
  }
  const failure = async (helper: Helper): Promise<unknown> => {
    try {
      return await run(helper);
    } catch (error) {
      if (!isSampanError(error)) throw error;
      const { syscall, errno } = error.fields;
      return [syscall, errno];
    }
  };

  it("gives back status, stdout and stderr, with the input and nothing else given", async () => {
    const script = "cat; pwd; umask; echo $ONLY; ls /proc/self/fd | tr '\\n' ' '; echo no >&2; exit 3";
    // The last descriptor is that of ls itself.
    expect(await run(shell(script, { input: new TextEncoder().encode("in\n") }))).toEqual({
      status: 3 << 8,
      output: "in\n/\n0022\nthis\n0 1 2 3 ",
      errors: "no\n",
    });
    expect(await run(shell("kill -TERM $$"))).toEqual({ status: 15, output: "", errors: "" });
  });

  it("takes a large input from one that reads none of it, and keeps the end of a long stderr", async () => {
    const input = new Uint8Array(1_000_000);
    expect(await run(shell("exec 0<&-; echo done", { input }))).toEqual({ status: 0, output: "done\n", errors: "" });
    const { errors } = await run(shell("head -c 100000 /dev/zero | tr '\\0' x >&2; printf end >&2"));
    expect([errors.length <= 4096, errors.slice(-4)]).toEqual([true, "xend"]);
  });

  it("ends one that says too much or takes too long, with all that it has started", async () => {
    expect(await failure(shell("yes", { limit: 1000 }))).toEqual(["helper", 27]);
    expect(await failure(shell("sleep 1000 & sleep 1000", { timeout: 200 }))).toEqual(["helper", 110]);
    expect(await failure(shell("exit 1", { succeed: true }))).toEqual(["helper", 125]);
    expect(await failure(shell("", { path: join(directory, "missing") }))).toEqual(["execve", 2]);
    expect(await failure(shell("", { limit: 2_000_000 }))).toEqual(["helper", 7]);
  });

  it("has a lock that one at a time holds", async () => {
    await using keel = new KeelExecutor(binary);
    const file = join(directory, "log");
    const lock = join(directory, "lock");
    const one = shell(`echo in >> ${file}; sleep 0.1; echo out >> ${file}`, { lock });
    await Promise.all([keel.execute([one]), keel.execute([one])]);
    expect((await run(shell(`tr '\\n' ' ' < ${file}; rm ${file}`))).output).toBe("in out in out ");
    const long = keel.execute([shell("sleep 0.6", { lock })]);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(await failure(shell("true", { lock, timeout: 100 }))).toEqual(["flock", 110]);
    await long;
  });
});
