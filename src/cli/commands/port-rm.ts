import { command } from "../command.ts";
import { openEngine } from "../open.ts";

export const portRm = command(
  {
    name: "port rm",
    summary: "Take published ports of a container back, at once when it runs",
    usage: "CONTAINER [ADDRESS:]HOST-PORT[/PROTOCOL]...",
    positionals: [2, Infinity],
    options: {},
    examples: ["sampan port rm web 8443 127.0.0.1:9090"],
  },
  async (_, [container = "", ...texts], globals) => {
    await using engine = await openEngine(globals);
    await engine.networks.unpublish(container, texts);
    return 0;
  },
);
