import { command } from "../command.ts";
import { openEngine } from "../open.ts";

export const networkPrune = command(
  {
    name: "network prune",
    summary: "Remove all networks that no container, running or not, is to be on",
    usage: "",
    positionals: [0, 0],
    options: {
      filter: {
        type: "list",
        value: "KEY=VALUE",
        help: "only those of label=KEY[=VALUE], label!=KEY[=VALUE], until=DURATION (made before, e.g. 24h)",
      },
      force: { type: "boolean", short: "f", help: "don't ask" },
    },
    examples: ["sampan network prune -f", "sampan network prune -f --filter until=24h"],
  },
  async (values, _, globals) => {
    const { networkFilter, until } = await import("../network-filter.ts");
    const matches = networkFilter(values.filter, new Map([["until", until]]));
    if (values.force !== true) {
      const { prompt } = await import("../prompt.ts");
      const answer = await prompt("All networks that no container is on will be removed. Go on? [y/N] ", false);
      if (!/^y(es)?$/i.test(answer.trim())) return 0;
    }
    await using engine = await openEngine(globals);
    const known = new Map((await engine.networks.list()).map((details) => [details.network.name, details]));
    const removed = await engine.networks.prune(({ name }) => {
      const details = known.get(name);
      return details !== undefined && matches(details);
    });
    // What plugins keep for containers that are gone.
    if (values.filter.length === 0) await engine.cni.collect();
    process.stdout.write(removed.map((name) => `${name}\n`).join(""));
    return 0;
  },
);
