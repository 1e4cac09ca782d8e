import { resolve } from "node:path";
import { alreadyExists, failedPrecondition, invalidArgument } from "#errdefs";
import { command } from "../command.ts";
import { defaultContext, findContext, readContexts, writeContexts } from "../contexts.ts";
import { forEach } from "../open.ts";

export const contextCreate = command(
  {
    name: "context create",
    summary: "Give a daemon a name",
    usage: "NAME",
    positionals: [1, 1],
    options: {
      ca: { type: "string", value: "FILE", help: "who signed the daemon's certificate, in PEM" },
      certificate: { type: "string", value: "FILE", help: "this client's certificate" },
      host: { type: "string", value: "HOST", help: "unix:///path or tcp://host:port" },
      key: { type: "string", value: "FILE", help: "key of the certificate" },
    },
    examples: ["sampan context create ci --host tcp://ci:7443 --ca ca.pem --certificate me.pem --key me.key"],
  },
  async (values, [name = ""]) => {
    const { formatHost, parseHost } = await import("#client");
    if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name) || name === defaultContext)
      throw invalidArgument(
        `Cannot use "${name}" as the name of a context: it may have letters, digits, ".", "_", "-"`,
      );
    if (values.host === undefined) throw invalidArgument(`Cannot make context "${name}": it needs a --host`);
    const contexts = readContexts();
    if (contexts.all.has(name))
      throw alreadyExists(`Cannot make context "${name}": there is one`, { remedy: `sampan context rm ${name}` });
    const tls = {
      ...(values.ca !== undefined && { ca: resolve(values.ca) }),
      ...(values.certificate !== undefined && { certificate: resolve(values.certificate) }),
      ...(values.key !== undefined && { key: resolve(values.key) }),
    };
    const context = { host: formatHost(parseHost(values.host)), ...(Object.keys(tls).length > 0 && { tls }) };
    writeContexts({ ...contexts, all: new Map([...contexts.all, [name, context]]) });
    process.stdout.write(`${name}\n`);
    return 0;
  },
);

export const contextLs = command(
  {
    name: "context ls",
    summary: "List the daemons that have names",
    usage: "",
    positionals: [0, 0],
    options: { format: { type: "string", value: "json", help: "print one JSON object a line" } },
    examples: ["sampan context ls"],
  },
  async (values) => {
    const { checkFormat, printTable } = await import("../table.ts");
    checkFormat(values.format);
    const { current, all } = readContexts();
    const rows = [[defaultContext, ""] as const, ...[...all].map(([name, { host }]) => [name, host] as const)];
    if (values.format === "json")
      for (const [name, host] of rows)
        process.stdout.write(`${JSON.stringify({ Name: name, Host: host, Current: name === current })}\n`);
    else
      printTable(
        ["NAME", "HOST"],
        rows.map(([name, host]) => [name === current ? `${name} *` : name, host]),
      );
    return 0;
  },
);

export const contextUse = command(
  {
    name: "context use",
    summary: "Let commands work with this daemon from now on",
    usage: "NAME",
    positionals: [1, 1],
    options: {},
    examples: ["sampan context use ci", "sampan context use default"],
  },
  async (_, [name = ""]) => {
    const contexts = readContexts();
    findContext(contexts, name);
    writeContexts({ ...contexts, current: name });
    process.stdout.write(`${name}\n`);
    return Promise.resolve(0);
  },
);

export const contextRm = command(
  {
    name: "context rm",
    summary: "Forget the names of daemons",
    usage: "NAME...",
    positionals: [1, Infinity],
    options: { force: { type: "boolean", short: "f", help: "also the one in use" } },
    examples: ["sampan context rm ci"],
  },
  async (values, names) =>
    forEach(names, async (name) => {
      const { current, all } = readContexts();
      if (findContext({ current, all }, name) === undefined)
        throw failedPrecondition(`Cannot remove context "${name}": it is this host's`);
      if (name === current && values.force !== true)
        throw failedPrecondition(`Cannot remove context "${name}": it is in use`, {
          remedy: "sampan context use default",
        });
      writeContexts({
        current: name === current ? defaultContext : current,
        all: new Map([...all].filter(([other]) => other !== name)),
      });
      process.stdout.write(`${name}\n`);
      await Promise.resolve();
    }),
);
