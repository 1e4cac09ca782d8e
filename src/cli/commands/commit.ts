import { command } from "../command.ts";
import { interruption, openEngine } from "../open.ts";

export const commit = command(
  {
    name: "commit",
    summary: "Make an image of what a container has become",
    usage: "CONTAINER [REFERENCE]",
    positionals: [1, 2],
    options: {
      author: { type: "string", short: "a", value: "NAME", help: "author of the image" },
      change: { type: "list", short: "c", value: "INSTRUCTION", help: "as in a Dockerfile, e.g. 'CMD [\"sh\"]'" },
      compression: { type: "string", value: "KIND", help: "of the new layer: gzip (default), zstd or none" },
      message: { type: "string", short: "m", value: "TEXT", help: "comment of the image's history" },
      pause: { type: "boolean", short: "p", help: "stop the container meanwhile (default; --no-pause lets it run)" },
    },
    examples: ["sampan commit web web:fixed", "SOURCE_DATE_EPOCH=0 sampan commit -c 'CMD [\"run\"]' build app:1"],
  },
  async (values, [name = "", reference], globals) => {
    const { invalidArgument } = await import("#errdefs");
    const { FileNotes } = await import("../print-name.ts");
    const { sourceDate } = await import("../source-date.ts");
    const { compression = "gzip" } = values;
    if (compression !== "gzip" && compression !== "zstd" && compression !== "none")
      throw invalidArgument(`Cannot parse --compression "${compression}": it is gzip, zstd or none`);
    await using engine = await openEngine(globals);
    const notes = new FileNotes();
    const id = await engine.files.commit(name, {
      name: reference,
      author: values.author,
      message: values.message,
      changes: values.change,
      pause: values.pause,
      compression,
      epoch: sourceDate(),
      onNote: notes.add,
      signal: interruption(),
    });
    notes.summarize();
    process.stdout.write(`${id}\n`);
    return 0;
  },
);
