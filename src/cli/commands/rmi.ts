import { command } from "../command.ts";
import { forEach, reachEngine } from "../open.ts";

export const rmi = command(
  {
    name: "rmi",
    summary: "Remove images",
    usage: "IMAGE...",
    positionals: [1, Infinity],
    options: { force: { type: "boolean", short: "f", help: "also the names of an image that containers use" } },
    examples: ["sampan rmi debian:12"],
  },
  async (values, names, globals) => {
    await using engine = await reachEngine(globals);
    return await forEach(names, async (name) => {
      const removed = await engine.removeImage(name, { force: values.force === true });
      for (const untagged of removed.untagged) process.stdout.write(`Untagged: ${untagged}\n`);
      for (const deleted of removed.deleted) process.stdout.write(`Deleted: ${deleted}\n`);
    });
  },
);
