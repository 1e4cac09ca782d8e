import { command } from "../command.ts";
import { forEach, openEngine } from "../open.ts";

export const volumeInspect = command(
  {
    name: "volume inspect",
    summary: "Print all that is known of volumes, as JSON",
    usage: "VOLUME...",
    positionals: [1, Infinity],
    options: { format: { type: "string", short: "f", value: "FORMAT", help: "json, or a template for each" } },
    examples: ["sampan volume inspect site", "sampan volume inspect --format '{{.Mountpoint}}' site"],
  },
  async (values, names, globals) => {
    const { detailsPrinter } = await import("../format/print-details.ts");
    const print = detailsPrinter(values.format);
    await using engine = await openEngine(globals);
    const found: object[] = [];
    const code = await forEach(names, async (name) => {
      const v = engine.volumes.get(name);
      found.push({
        Name: v.name,
        Driver: v.driver,
        Mountpoint: v.mountpoint,
        CreatedAt: new Date(v.createdAt).toISOString(),
        Labels: v.labels,
        Options: v.options,
        Scope: "local",
        Anonymous: v.anonymous,
        Containers: v.users,
      });
      await Promise.resolve();
    });
    process.stdout.write(print(found));
    return code;
  },
);
