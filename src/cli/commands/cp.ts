import type { CopyPlace } from "#engine";
import { command } from "../command.ts";
import { interruption, openEngine } from "../open.ts";

export const cp = command(
  {
    name: "cp",
    summary: "Copy files between a container and this machine",
    usage: "CONTAINER:SOURCE DESTINATION|- | SOURCE|- CONTAINER:DESTINATION",
    positionals: [2, 2],
    options: {
      archive: { type: "boolean", short: "a", help: "keep owners and extended attributes" },
      "follow-link": { type: "boolean", short: "L", help: "copy what a symbolic link as SOURCE leads to" },
      quiet: { type: "boolean", short: "q", help: "print nothing; so it is where no terminal is" },
    },
    examples: [
      "sampan cp web:/etc/nginx/nginx.conf .",
      "sampan cp site/. web:/usr/share/nginx/html",
      "sampan cp web:/var/log - | tar -t",
    ],
  },
  async (values, [source = "", destination = ""], globals) => {
    const { humanSize, parseCopyPlace } = await import("#engine");
    const { FileNotes } = await import("../print-name.ts");
    const { openOutput } = await import("../output-file.ts");
    const { standardInput } = await import("../input.ts");
    const from = parseCopyPlace(source);
    const to = parseCopyPlace(destination);
    await using engine = await openEngine(globals);
    await using output = to.kind === "stream" ? await openOutput(undefined) : undefined;
    const sourcePlace: CopyPlace = from.kind === "stream" ? { kind: "input", stream: standardInput() } : from;
    const destinationPlace: CopyPlace =
      to.kind === "stream" ? { kind: "output", write: async (chunk) => await output?.write(chunk) } : to;
    const notes = new FileNotes();
    const { bytes } = await engine.files.copy(sourcePlace, destinationPlace, {
      archive: values.archive,
      followLink: values["follow-link"],
      onNote: notes.add,
      signal: interruption(),
    });
    await output?.commit();
    notes.summarize();
    const quiet = values.quiet ?? !process.stdout.isTTY;
    if (!quiet) process.stderr.write(`Successfully copied ${humanSize(bytes)} to ${destination}\n`);
    return 0;
  },
);
