/** `namespaces create`, `list`, `label`, `remove`. */
import { ctrCommand } from "./command.ts";
import { CtrFailure } from "./context.ts";
import { table } from "./table.ts";

const labelsOf = (texts: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(texts.map((text) => text.split(/=(.*)/s, 2)).map(([key = "", value = ""]) => [key, value]));

export const namespaceList = ctrCommand(
  {
    name: "namespaces list",
    aliases: ["ls"],
    summary: "list namespaces",
    usage: "",
    options: { quiet: { type: "boolean", short: "q", help: "print only the namespace name" } },
    examples: ["sampan ctr namespaces list"],
  },
  async ({ quiet }, _, context) => {
    const list = (await context.engine()).namespaces.list().toSorted((a, b) => (a.name < b.name ? -1 : 1));
    if (quiet === true) process.stdout.write(list.map(({ name }) => `${name}\n`).join(""));
    else {
      const rows = list.map(({ name, labels }) => [
        name,
        Object.entries(labels)
          .map((entry) => entry.join("="))
          .join(","),
      ]);
      process.stdout.write(table([["NAME", "LABELS"], ...rows], { padding: 1 }));
    }
    return 0;
  },
);

export const namespaceCreate = ctrCommand(
  {
    name: "namespaces create",
    aliases: ["c"],
    summary: "make a namespace",
    usage: "NAME [KEY=VALUE...]",
    options: {},
    examples: ["sampan ctr namespaces create ci team=build"],
  },
  async (_, [name = "", ...labels], context) => {
    if (name === "") throw new CtrFailure("please specify a namespace");
    (await context.engine()).namespaces.create(name, labelsOf(labels));
    return 0;
  },
);

export const namespaceLabel = ctrCommand(
  {
    name: "namespaces label",
    summary: "set labels of a namespace; an empty value removes one",
    usage: "NAME KEY=VALUE...",
    options: {},
    examples: ["sampan ctr namespaces label ci team=build"],
  },
  async (_, [name = "", ...labels], context) => {
    if (name === "") throw new CtrFailure("please specify a namespace");
    (await context.engine()).namespaces.label(name, labelsOf(labels));
    return 0;
  },
);

export const namespaceRemove = ctrCommand(
  {
    name: "namespaces remove",
    aliases: ["rm"],
    summary: "remove namespaces that have nothing in them",
    usage: "NAME...",
    options: {},
    examples: ["sampan ctr namespaces remove ci"],
  },
  async (_, names, context) => {
    if (names.length === 0) throw new CtrFailure("please specify a namespace");
    const { namespaces } = await context.engine();
    for (const name of names) {
      namespaces.remove(name);
      process.stdout.write(`${name}\n`);
    }
    return 0;
  },
);
