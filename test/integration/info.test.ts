/** `sampan info`: counts, and runtimes of the configuration and of PATH. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { StockedHost } from "../support/stocked-host.ts";

let stocked: StockedHost;
beforeAll(async () => {
  stocked = await StockedHost.create(["busybox"]);
});
afterAll(async () => await stocked[Symbol.asyncDispose]());

it("counts containers and images, and asks runtimes for their versions", async () => {
  const config = join(stocked.host.files, "config.toml");
  await writeFile(config, '[runtimes.gone]\npath = "/nosuch/runtime"\n[runtimes.other]\npath = "/usr/sbin/runc"\n');
  const image = stocked.image("busybox");
  await stocked.must(["run", "-d", "--network", "none", image, "sleep", "1000"]);
  await stocked.must(["create", "--network", "none", image, "true"]);
  const found = JSON.parse(
    await stocked.host.must(["env", `SAMPAN_CONFIG=${config}`, `${process.cwd()}/sampan`, "info", "--format", "json"]),
  ) as { readonly Runtimes: readonly Readonly<Record<string, unknown>>[] };
  expect(found).toMatchObject({
    Containers: 2,
    ContainersRunning: 1,
    ContainersStopped: 1,
    Images: 1,
    RootDir: stocked.host.root,
    KernelVersion: await stocked.host.must(["uname", "-r"]),
  });
  const runtimes = new Map(found.Runtimes.map((runtime) => [runtime["name"], runtime]));
  expect([...runtimes.keys()].slice(0, 3)).toStrictEqual(["sampan", "gone", "other"]);
  expect(runtimes.get("gone")).toMatchObject({
    problem: expect.stringContaining('no program "/nosuch/runtime"') as string,
  });
  expect(runtimes.get("other")).toMatchObject({
    version: expect.stringMatching(/^runc version /) as string,
    path: "/usr/sbin/runc",
  });
  expect(await stocked.must(["info"])).toMatch(/^Containers: +2 \(1 running, 0 paused, 1 not\)$/m);
});
