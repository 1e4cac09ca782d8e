import { command } from "../command.ts";
import { openEngine } from "../open.ts";

export const contentPrune = command(
  {
    name: "content prune",
    summary: "Delete blobs, layers and partial downloads that nothing needs",
    usage: "",
    positionals: [0, 0],
    options: {
      keep: { type: "string", value: "DURATION", help: "those that nothing has needed for less than this, e.g. 24h" },
    },
    examples: ["sampan content prune", "sampan content prune --keep 24h"],
  },
  async (values, _, globals) => {
    const { humanSize, parseDuration } = await import("#engine");
    const { invalidArgument } = await import("#errdefs");
    const keep = values.keep === undefined ? 0 : parseDuration(values.keep);
    if (keep === undefined) {
      throw invalidArgument(`Cannot parse --keep "${values.keep}": it is no duration`, {
        remedy: "Write e.g. 90m or 24h",
      });
    }
    await using engine = await openEngine(globals);
    const { blobs, layers, ingests, bytes } = await engine.housekeeping.collect(keep);
    process.stdout.write(`Deleted: ${blobs} blobs, ${layers} layers, ${ingests} partial downloads\n`);
    process.stdout.write(`Freed of blobs and downloads: ${humanSize(bytes)}\n`);
    return 0;
  },
);
