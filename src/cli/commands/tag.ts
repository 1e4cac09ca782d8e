import { command } from "../command.ts";
import { reachEngine } from "../open.ts";

export const tag = command(
  {
    name: "tag",
    summary: "Give an image another name",
    usage: "IMAGE NAME[:TAG]...",
    positionals: [2, Infinity],
    options: {},
    examples: ["sampan tag localhost/app registry.example.com/team/app:1"],
  },
  async (_, [image = "", ...names], globals) => {
    await using engine = await reachEngine(globals);
    for (const name of names) await engine.tagImage(image, name);
    return 0;
  },
);
