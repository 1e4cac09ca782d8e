import { command } from "../command.ts";
import { openEngine } from "../open.ts";
import { pullProgress } from "../progress.ts";
import { runFlags } from "../run-flags.ts";

export const explain = command(
  {
    name: "explain",
    summary: "Print what a container is, step by step, without making it",
    usage: "IMAGE [COMMAND [ARG...]]",
    positionals: [1, Infinity],
    passthrough: true,
    options: {
      ...runFlags,
      // Flags of run that change nothing in the plan, so that a command line can be explained as it is.
      detach: { type: "boolean", short: "d", help: "ignored here" },
      rm: { type: "boolean", help: "ignored here" },
      json: { type: "boolean", help: "print the plan as data" },
    },
    examples: ["sampan explain localhost/node", "sampan explain --json --memory 64m --network host localhost/node"],
  },
  async (values, words, globals) => {
    const { containerOptions } = await import("../container-options.ts");
    await using engine = await openEngine(globals);
    const options = containerOptions(values, words);
    using progress = pullProgress(options.image);
    const plan = await engine.explain(options, { onProgress: progress.update });
    progress[Symbol.dispose]();
    const { explainPlan } = await import("#plan");
    if (values.json === true) process.stdout.write(`${JSON.stringify(plan, asData, 2)}\n`);
    else for (const line of explainPlan(plan)) process.stdout.write(`${line}\n`);
    return 0;
  },
);

/** What JSON has no word for: 64-bit numbers and maps as they are, bytes in base64. */
function asData(this: unknown, _: string, value: unknown): unknown {
  if (typeof value === "bigint")
    return Number(value) === Number(BigInt.asUintN(53, value)) ? Number(value) : String(value);
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  return value;
}
