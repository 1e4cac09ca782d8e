/** Commands for leases that outlive a command: ls, create, rm. */
import { command } from "../command.ts";
import { forEach, openEngine } from "../open.ts";

export const leaseLs = command(
  {
    name: "lease ls",
    summary: "List leases, which keep blobs and layers from being deleted",
    usage: "",
    positionals: [0, 0],
    options: {
      format: { type: "string", value: "json", help: "print one JSON object a line" },
      quiet: { type: "boolean", short: "q", help: "print ids only" },
    },
    examples: ["sampan lease ls"],
  },
  async (values, _, globals) => {
    const { humanDuration } = await import("#engine");
    const { checkFormat, printTable } = await import("../table.ts");
    checkFormat(values.format);
    await using engine = await openEngine(globals);
    const list = engine.imageStore.leases.list();
    const now = Date.now();
    if (values.quiet === true) process.stdout.write(list.map(({ id }) => `${id}\n`).join(""));
    else if (values.format === "json") for (const lease of list) process.stdout.write(`${JSON.stringify(lease)}\n`);
    else {
      const end = (at: number | undefined): string =>
        at === undefined ? "never" : at <= now ? "expired" : `in ${humanDuration(at - now)}`;
      printTable(
        ["LEASE", "CREATED", "ENDS", "KEYS"],
        list.map((l) => [l.id, `${humanDuration(now - l.createdAt)} ago`, end(l.expiresAt), String(l.keys.length)]),
      );
    }
    return 0;
  },
);

export const leaseCreate = command(
  {
    name: "lease create",
    summary: "Keep images' blobs and layers, whatever becomes of their names",
    usage: "[IMAGE...]",
    positionals: [0, Infinity],
    options: {
      expires: { type: "string", value: "DURATION", help: "end by itself after this, e.g. 24h" },
      id: { type: "string", value: "ID", help: "in place of a random one" },
      label: { type: "list", short: "l", value: "KEY=VALUE", help: "label of it" },
    },
    examples: ["sampan lease create --expires 24h debian:12"],
  },
  async (values, names, globals) => {
    const { parseDuration } = await import("#engine");
    const { invalidArgument } = await import("#errdefs");
    const lifetime = values.expires === undefined ? undefined : parseDuration(values.expires);
    if (values.expires !== undefined && lifetime === undefined) {
      throw invalidArgument(`Cannot parse --expires "${values.expires}": it is no duration`, {
        remedy: "Write e.g. 90m or 24h",
      });
    }
    await using engine = await openEngine(globals);
    const labels = Object.fromEntries(
      values.label.map((text) => [text.split("=", 1)[0], text.replace(/^[^=]*=?/, "")]),
    );
    process.stdout.write(`${engine.imageStore.lease(names, { id: values.id, lifetime, labels })}\n`);
    return 0;
  },
);

export const leaseRm = command(
  {
    name: "lease rm",
    summary: "End leases",
    usage: "ID...",
    positionals: [1, Infinity],
    options: {},
    examples: ["sampan lease rm 0123456789abcdef"],
  },
  async (_, ids, globals) => {
    await using engine = await openEngine(globals);
    return await forEach(ids, async (id) => engine.imageStore.leases.remove(id));
  },
);
