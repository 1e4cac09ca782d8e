import { command } from "../command.ts";
import { interruption, openEngine } from "../open.ts";

export const importCommand = command(
  {
    name: "import",
    summary: "Make an image of a tar archive of files",
    usage: "FILE|URL|- [REFERENCE]",
    positionals: [1, 2],
    options: {
      change: { type: "list", short: "c", value: "INSTRUCTION", help: "as in a Dockerfile, e.g. 'CMD [\"sh\"]'" },
      message: { type: "string", short: "m", value: "TEXT", help: "comment of the image's history" },
      platform: { type: "string", value: "OS/ARCH", help: "what it is for, in place of this machine" },
    },
    examples: ["sampan import root.tar.gz mine:1 -c 'CMD [\"bash\"]'", "debootstrap … | sampan import - debian"],
  },
  async (values, [source = "", name], globals) => {
    const { openInput } = await import("../input.ts");
    const { sourceDate } = await import("../source-date.ts");
    await using engine = await openEngine(globals);
    const signal = interruption();
    const id = await engine.imageStore.import(await openInput(source, signal), name, {
      changes: values.change,
      message: values.message,
      platform: values.platform,
      source,
      created: sourceDate(),
      signal,
    });
    process.stdout.write(`${id}\n`);
    return 0;
  },
);
