import { command } from "../command.ts";
import { interruption, openEngine } from "../open.ts";

export const exportCommand = command(
  {
    name: "export",
    summary: "Write all files of a container as a tar archive",
    usage: "CONTAINER",
    positionals: [1, 1],
    options: { output: { type: "string", short: "o", value: "FILE", help: "in place of the standard output" } },
    examples: ["sampan export web -o web.tar", "sampan export web | tar -x -C directory"],
  },
  async (values, [name = ""], globals) => {
    const { openOutput } = await import("../output-file.ts");
    const { FileNotes } = await import("../print-name.ts");
    await using engine = await openEngine(globals);
    // A container that is not there must not leave a file.
    const container = engine.get(name);
    await using output = await openOutput(values.output);
    const notes = new FileNotes();
    for await (const chunk of engine.files.export(container.id, { onNote: notes.add, signal: interruption() }))
      await output.write(chunk);
    await output.commit();
    notes.summarize();
    return 0;
  },
);
