import { command } from "../command.ts";
import { reachEngine } from "../open.ts";

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
    await using engine = await reachEngine(globals);
    await (await engine.get(container)).rename(name);
    return 0;
  },
);
