import { invalidArgument } from "#errdefs";
import { command } from "../command.ts";
import { openEngine } from "../open.ts";

export const volumeCreate = command(
  {
    name: "volume create",
    summary: "Make a volume",
    usage: "[NAME]",
    positionals: [0, 1],
    options: {
      driver: { type: "string", short: "d", value: "DRIVER", help: "local, the only one there is" },
      label: { type: "list", value: "NAME=VALUE", help: "label on the volume" },
      opt: { type: "list", short: "o", value: "NAME=VALUE", help: "type=, device= and o= of what is mounted" },
    },
    examples: [
      "sampan volume create site",
      "sampan volume create --opt type=tmpfs --opt device=tmpfs --opt o=size=64m,mode=1777 scratch",
      "sampan volume create --opt type=nfs --opt device=:/export --opt o=addr=192.0.2.1,vers=4 shared",
    ],
  },
  async (values, [name], globals) => {
    const { splitPairs } = await import("../pairs.ts");
    if (values.driver !== undefined && values.driver !== "local")
      throw invalidArgument(`Cannot use volume driver "${values.driver}": there is only local`);
    await using engine = await openEngine(globals);
    const volume = engine.volumes.create({
      ...(name === undefined ? {} : { name }),
      labels: splitPairs(values.label),
      options: splitPairs(values.opt),
    });
    process.stdout.write(`${volume.name}\n`);
    return 0;
  },
);
