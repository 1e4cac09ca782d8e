import { command } from "../command.ts";
import { openEngine } from "../open.ts";

export const port = command(
  {
    name: "port",
    summary: "Print which ports of the host lead to a container",
    usage: "CONTAINER [PORT[/PROTOCOL]]",
    positionals: [1, 2],
    options: {},
    examples: ["sampan port web", "sampan port web 80/tcp", "sampan port add web 8443:443", "sampan port rm web 8443"],
  },
  async (_, [container = "", wanted], globals) => {
    const { notFound } = await import("#errdefs");
    const { hostPort } = await import("../ports.ts");
    await using engine = await openEngine(globals);
    const ports = engine.networks.ports(container);
    if (wanted === undefined) {
      for (const published of ports)
        process.stdout.write(`${published.port}/${published.protocol} -> ${hostPort(published)}\n`);
      return 0;
    }
    const whole = wanted.includes("/") ? wanted : `${wanted}/tcp`;
    const found = ports.filter((published) => `${published.port}/${published.protocol}` === whole);
    if (found.length === 0)
      throw notFound(`Cannot find port "${wanted}" of container "${container}": it is not published`);
    for (const published of found) process.stdout.write(`${hostPort(published)}\n`);
    return 0;
  },
);
