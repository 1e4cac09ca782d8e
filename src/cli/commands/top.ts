import { command } from "../command.ts";
import { reachEngine } from "../open.ts";
import { printTable } from "../table.ts";

export const top = command(
  {
    name: "top",
    summary: "List the processes of a container, by the host's numbers",
    usage: "CONTAINER [PS-OPTION...]",
    positionals: [1, Infinity],
    passthrough: true,
    options: {},
    examples: ["sampan top web", "sampan top web -o pid,rss,comm"],
  },
  async (_, [name = "", ...options], globals) => {
    await using engine = await reachEngine(globals);
    const { titles, processes } = await (await engine.get(name)).top(options);
    printTable(titles, processes);
    return 0;
  },
);
