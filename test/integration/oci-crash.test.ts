/** `sampan-oci` killed at any moment of its work: `delete --force` then takes away all that there is. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OciHost, ociProgram } from "../support/oci-host.ts";

let host: OciHost;
beforeAll(async () => {
  host = await OciHost.create();
});
afterAll(async () => await host[Symbol.asyncDispose]());

/** Processes of the test host whose program or name is keel's or the container's. */
async function processes(): Promise<string[]> {
  const names: string[] = [];
  for (const pid of await host.host.processes())
    try {
      names.push((await readFile(`/proc/${host.host.initPid}/root/proc/${pid}/comm`, "utf8")).trim());
    } catch {
      // it has ended
    }
  return names.filter((name) => /keel|sleep/.test(name));
}

const cgroups = (): string[] =>
  readdirSync("/sys/fs/cgroup").filter((c) => existsSync(`/sys/fs/cgroup/${c}${host.host.cgroupParent}/crash`));

/** Mounts that the host's own processes see. */
const mounts = (): number => readFileSync(`/proc/${host.host.initPid}/mountinfo`, "utf8").split("\n").length;

async function clean(): Promise<void> {
  await host.must(["delete", "--force", "crash"]);
  await expect.poll(processes, { timeout: 10_000 }).toEqual([]);
  // Who was killed just before its last step may have made a cgroup after that.
  if (cgroups().length > 0) await host.must(["delete", "--force", "crash"]);
}

const moments = 24;

describe("sampan-oci delete --force", () => {
  it("cleans up after a create that was killed at any moment", { timeout: 180_000 }, async () => {
    const bundle = await host.bundle("crash", (c) => (c.process.args = ["sleep", "1000"]));
    const before = mounts();
    const command = [
      "sh",
      "-c",
      'exec "$@" < /dev/null > /dev/null 2>&1',
      "sh",
      ociProgram,
      "--root",
      host.state,
      "create",
      "--bundle",
      bundle,
      "crash",
    ];
    const started = performance.now();
    await host.mustDetach(["create", "--bundle", bundle, "crash"]);
    const whole = performance.now() - started;
    await clean();
    const seen = new Set<string>();
    for (let i = 1; i <= moments; i++) {
      const child = host.host.spawn(command);
      await sleep((whole * i) / moments);
      child.kill();
      await child.exited;
      const state = await host.oci(["state", "crash"]);
      seen.add(state.code === 0 ? (JSON.parse(state.stdout) as { status: string }).status : "none");
      await clean();
      expect(await readdir(host.state)).not.toContain("crash");
      expect(cgroups(), `killed after ${i}/${moments} of a create`).toEqual([]);
      expect(mounts()).toBe(before);
    }
    expect([...seen]).toContain("created");
  });
});
