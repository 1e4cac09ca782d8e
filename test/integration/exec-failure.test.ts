/** A program that can't be executed, over and over: its monitor may be gone at any step of who takes the container away. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { StockedHost } from "../support/stocked-host.ts";

it("run tells of a broken program each time, and removes each container", { timeout: 120_000 }, async () => {
  await using stocked = await StockedHost.create(["busybox"]);
  const garbage = join(stocked.host.files, "garbage");
  await writeFile(garbage, "\x7fELF garbage", { mode: 0o755 });
  const { stdout, stderr } = await stocked.host.node(`
    import { Engine } from "#engine";
    await using engine = await Engine.open();
    const image = ${JSON.stringify(stocked.image("busybox"))};
    const mounts = [{ type: "bind", source: ${JSON.stringify(garbage)}, target: "/garbage" }];
    const seen = new Set();
    for (let i = 0; i < 100; i++) {
      const container = await engine.create({ image, command: ["/garbage"], mounts });
      try {
        await container.start({ attach: { stdin: false, output: true } });
      } catch (error) {
        seen.add(error.message);
      }
      await container.remove({ force: true });
    }
    console.log(JSON.stringify([[...seen], engine.list().length]));
  `);
  expect({ stderr, seen: JSON.parse(stdout) as unknown }).toEqual({
    stderr: "",
    seen: [['Cannot run "/garbage": exec format error'], 0],
  });
});
