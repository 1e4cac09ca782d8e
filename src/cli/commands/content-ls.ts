import { command } from "../command.ts";
import { openEngine } from "../open.ts";

export const contentLs = command(
  {
    name: "content ls",
    summary: "List blobs, and the images that need them",
    usage: "",
    positionals: [0, 0],
    options: {
      format: { type: "string", value: "json", help: "print one JSON object a line" },
      quiet: { type: "boolean", short: "q", help: "print digests only" },
    },
    examples: ["sampan content ls"],
  },
  async (values, _, globals) => {
    const { humanSize } = await import("#engine");
    const { checkFormat, printTable } = await import("../table.ts");
    checkFormat(values.format);
    await using engine = await openEngine(globals);
    const blobs = engine.imageStore.blobs();
    if (values.quiet === true) process.stdout.write(blobs.map(({ digest }) => `${digest}\n`).join(""));
    else if (values.format === "json") for (const blob of blobs) process.stdout.write(`${JSON.stringify(blob)}\n`);
    else {
      printTable(
        ["DIGEST", "SIZE", "IMAGES"],
        blobs.map(({ digest, size, images }) => [digest, humanSize(size), images.join(", ")]),
      );
    }
    return 0;
  },
);
