import { command } from "../command.ts";
import { forEach, openEngine } from "../open.ts";

export const podInspect = command(
  {
    name: "pod inspect",
    summary: "Print all that is known of pods, as JSON",
    usage: "POD...",
    positionals: [1, Infinity],
    options: { format: { type: "string", short: "f", value: "FORMAT", help: "json, or a template for each" } },
    examples: ["sampan pod inspect shop"],
  },
  async (values, names, globals) => {
    const { detailsPrinter } = await import("../format/print-details.ts");
    const print = detailsPrinter(values.format);
    await using engine = await openEngine(globals);
    const found: object[] = [];
    const code = await forEach(names, async (name) => {
      const { id, name: own, createdAt, status, cgroup, options, containers, addresses } = engine.pods.get(name);
      found.push({
        Id: id,
        Name: own,
        Created: new Date(createdAt).toISOString(),
        State: status,
        CgroupPath: cgroup,
        Labels: options.labels ?? {},
        SharedNamespaces: options.share ?? ["net", "ipc", "uts"],
        Hostname: options.hostname ?? own,
        Networks: options.networks ?? [options.network],
        Addresses: addresses,
        Limits: options.limits ?? {},
        Containers: containers.map((c) => ({ Id: c.id, Name: c.name, State: c.status })),
      });
      await Promise.resolve();
    });
    process.stdout.write(print(found));
    return code;
  },
);
