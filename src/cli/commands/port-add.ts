import { command } from "../command.ts";
import { openEngine } from "../open.ts";

export const portAdd = command(
  {
    name: "port add",
    summary: "Publish further ports of a container, at once when it runs",
    usage: "CONTAINER [[ADDRESS:]PORT:]PORT[/PROTOCOL]...",
    positionals: [2, Infinity],
    options: {},
    examples: ["sampan port add web 8443:443 127.0.0.1::9090"],
  },
  async (_, [container = "", ...texts], globals) => {
    const { hostPort } = await import("../ports.ts");
    await using engine = await openEngine(globals);
    for (const published of await engine.networks.publish(container, texts))
      process.stdout.write(`${published.port}/${published.protocol} -> ${hostPort(published)}\n`);
    return 0;
  },
);
