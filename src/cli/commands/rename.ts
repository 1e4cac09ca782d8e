import { command } from "../command.ts";
import { openEngine } from "../open.ts";

export const rename = command(
  {
    name: "rename",
    summary: "Give a container another name",
    usage: "CONTAINER NAME",
    positionals: [2, 2],
    options: {},
    examples: ["sampan rename swift_cutter web"],
  },
  async (_, [container = "", name = ""], globals) => {
    await using engine = await openEngine(globals);
    engine.get(container).rename(name);
    return 0;
  },
);
