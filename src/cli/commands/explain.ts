import { command } from "../command.ts";
import { openEngine } from "../open.ts";
import { pullProgress } from "../progress.ts";
import { containerOptions, runFlags } from "../run-flags.ts";

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
    await using engine = await openEngine(globals);
    const options = containerOptions(values, words);
    using progress = pullProgress(options.image);
    const plan = await engine.explain(options, { onProgress: progress.update });
    progress[Symbol.dispose]();
    const { explainPlan, planToJson } = await import("#plan");
    if (values.json === true) process.stdout.write(`${JSON.stringify(planToJson(plan), undefined, 2)}\n`);
    else for (const line of explainPlan(plan)) process.stdout.write(`${line}\n`);
    return 0;
  },
);
