/**
 * The library, as a program would use it: in a process of its own, in a test host. Once with the engine in that process, and
 * once with a daemon's.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestDaemon } from "../support/daemon.ts";
import { StockedHost } from "../support/stocked-host.ts";

let stocked: StockedHost;
let daemon: TestDaemon;
beforeAll(async () => {
  stocked = await StockedHost.create(["busybox"]);
  daemon = await TestDaemon.start(stocked.host);
});
afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await stocked[Symbol.asyncDispose]();
});

const kinds = {
  Engine: `import { Engine } from "#engine"; const open = () => Engine.open();`,
  EngineClient: `import { connect } from "#client"; const open = () => connect({ host: process.env.SAMPAN_STATE + "/sampan.sock" });`,
};

describe.each(["Engine", "EngineClient"] as const)("%s", (kind) => {
  /** Runs a program that has `engine` and `image`, and gives what it handed to `result` as JSON. */
  async function run(body: string): Promise<unknown> {
    const source = `
    ${kinds[kind]}
    import { SampanError } from "#engine";
    const image = ${JSON.stringify(stocked.image("busybox"))};
    const missing = ${JSON.stringify(`${stocked.registry.address}/missing:1`)};
    const result = (value: unknown) => process.stdout.write(JSON.stringify(value));
    const text = (data: Uint8Array) => Buffer.from(data).toString();
    {
      await using engine = await open();
      ${body}
    }`;
    const { code, stdout, stderr } = await stocked.host.node(source);
    expect({ code, stderr }).toStrictEqual({ code: 0, stderr: "" });
    return JSON.parse(stdout);
  }

  it("run() starts a container whose exit and log can be read, and disposing of it removes it", async () => {
    const found = await run(`
      const seen: unknown[] = [];
      {
        await using container = await engine.run(image, ["sh", "-c", "echo out; echo err >&2; exit 3"], { memory: "32MiB" });
        seen.push((await container.wait()).status);
        for await (const entry of container.logs()) seen.push([entry.stream, text(entry.text)]);
        seen.push((await engine.list()).map((c) => c.status));
      }
      result([...seen, (await engine.list()).length]);`);
    expect(found).toStrictEqual([3, expect.arrayContaining(["stdout"]), expect.anything(), ["exited"], 0]);
    expect(found).toContainEqual(["stdout", "out"]);
    expect(found).toContainEqual(["stderr", "err"]);
  });

  it("create(), start(), wait() and remove() take one step each", async () => {
    expect(
      await run(`
        const container = await engine.create({ image, command: ["true"], name: "steps" });
        const states = [(await container.summary()).state.status];
        await container.start();
        const exit = await container.wait();
        states.push((await container.summary()).state.status);
        await container.remove();
        result({ states, status: exit.status, left: (await engine.list()).length });`),
    ).toStrictEqual({ states: ["none", "stopped"], status: 0, left: 0 });
  });

  it("a container can be started again, with what it has written", async () => {
    expect(
      await run(`
        await using container = await engine.run(image, ["sh", "-c", "echo x >> /count; exit $(wc -l < /count)"]);
        const first = (await container.wait()).status;
        await container.start();
        result([first, (await container.wait()).status]);`),
    ).toStrictEqual([1, 2]);
  });

  it("attach() carries input to the container and output from it, exec() runs beside it", async () => {
    expect(
      await run(`
        await using container = await engine.create({ image, command: ["cat"], openStdin: true, stdinOnce: true });
        const attachment = await container.start({ attach: { stdin: true, output: true } });
        let output = "";
        attachment.onOutput((_, data) => void (output += text(data)));
        const session = await container.exec({ command: ["sh", "-c", "echo $0 $A; exit 5"], env: ["A=b"] });
        let beside = "";
        session.onOutput((_, data) => void (beside += text(data)));
        const inner = await session.exited;
        await attachment.write(Buffer.from("to and fro"));
        attachment.closeInput();
        const outer = await attachment.exited;
        result({ output, beside, inner: inner.status, outer: outer.status });`),
    ).toStrictEqual({ output: "to and fro", beside: "sh b\n", inner: 5, outer: 0 });
  });

  it("runs many containers at once", async () => {
    expect(
      await run(`
        const codes = await Promise.all(Array.from({ length: 20 }, async (_, i) => {
          await using container = await engine.run(image, ["sh", "-c", "exit " + i]);
          return (await container.wait()).status;
        }));
        result([codes, (await engine.list()).length]);`),
    ).toStrictEqual([Array.from({ length: 20 }, (_, i) => i), 0]);
  });

  it("fails with errors of a code, and the step of the plan that failed; nothing is left of it", async () => {
    const found = (await run(`
      const code = async (action: () => Promise<unknown>) => {
        try { await action(); return "none"; } catch (error) {
          return error instanceof SampanError ? { code: error.code, command: error.fields.command, step: error.fields.step } : String(error);
        }
      };
      result([
        await code(() => engine.run(missing)),
        await code(() => engine.run(image, ["nosuch"])),
        await code(() => engine.run(image, ["true"], { memory: "4k" })),
        await code(() => engine.run(image, ["true"], { network: "nosuch" })),
        await code(() => engine.pull(image, { signal: AbortSignal.abort() })),
        (await engine.list()).length,
      ]);`)) as readonly unknown[];
    expect(found).toStrictEqual([
      { code: "not-found" },
      { code: "not-found", command: true, step: expect.any(Number) },
      { code: "invalid-argument" },
      { code: "not-found" },
      { code: "cancelled" },
      0,
    ]);
  });
  it.runIf(kind === "Engine")("explain() gives the plan as data, and makes nothing", async () => {
    expect(
      await run(`
        const plan = await engine.explain({ image, command: ["true"], hostname: "planned" });
        const names = plan.steps.map((s) => s.operation.op);
        result([names.at(-1), names.includes("pivot-root"), plan.steps.every((s) => s.why !== ""), (await engine.list()).length]);`),
    ).toStrictEqual(["exec", true, true, 0]);
  });
});
