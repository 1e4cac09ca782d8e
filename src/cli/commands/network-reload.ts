import { command } from "../command.ts";
import { openEngine } from "../open.ts";

export const networkReload = command(
  {
    name: "network reload",
    summary: "Restore what networks need on the host, after its packet filter was flushed",
    usage: "",
    positionals: [0, 0],
    options: {},
    examples: ["nft flush ruleset; sampan network reload"],
  },
  async (_, __, globals) => {
    await using engine = await openEngine(globals);
    await engine.networks.reload();
    return 0;
  },
);
