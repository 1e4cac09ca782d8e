import { invalidArgument } from "#errdefs";
import { command } from "../command.ts";
import { forEach, reachEngine } from "../open.ts";

export const wait = command(
  {
    name: "wait",
    summary: "Wait until containers have ended, and print their exit codes",
    usage: "CONTAINER...",
    positionals: [1, Infinity],
    options: {
      condition: {
        type: "string",
        value: "CONDITION",
        help: "not-running (default: done when it does not run), next-exit, or removed",
      },
    },
    examples: ["sampan wait job", "sampan wait --condition next-exit web"],
  },
  async (values, names, globals) => {
    const { condition } = values;
    if (condition !== undefined && condition !== "not-running" && condition !== "next-exit" && condition !== "removed")
      throw invalidArgument(`Cannot parse --condition "${condition}": it is not-running, next-exit or removed`);
    await using engine = await reachEngine(globals);
    return await forEach(names, async (name) => {
      const { status } = await (await engine.get(name)).wait(condition === undefined ? {} : { condition });
      process.stdout.write(`${status}\n`);
    });
  },
);
