/** Commands for namespaces: ls, create, label, rm. */
import { command } from "../command.ts";
import { forEach, openEngine } from "../open.ts";

/** `KEY=VALUE` each; a key without one gets an empty value, which removes it. */
function labelsOf(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const [key = "", value = ""] = text.split(/=(.*)/s, 2);
      return [key, value];
    }),
  );
}

export const namespaceLs = command(
  {
    name: "namespace ls",
    summary: "List namespaces",
    usage: "",
    positionals: [0, 0],
    options: {
      format: { type: "string", value: "json", help: "print one JSON object a line" },
      quiet: { type: "boolean", short: "q", help: "print names only" },
    },
    examples: ["sampan namespace ls"],
  },
  async (values, _, globals) => {
    const { checkFormat, printTable } = await import("../table.ts");
    checkFormat(values.format);
    await using engine = await openEngine({ ...globals, namespace: "default" });
    const list = engine.namespaces.list();
    if (values.quiet === true) process.stdout.write(list.map(({ name }) => `${name}\n`).join(""));
    else if (values.format === "json") for (const one of list) process.stdout.write(`${JSON.stringify(one)}\n`);
    else {
      const labels = (of: Readonly<Record<string, string>>): string =>
        Object.entries(of)
          .map(([key, value]) => `${key}=${value}`)
          .join(",");
      printTable(
        ["NAME", "LABELS"],
        list.map((one) => [one.name, labels(one.labels)]),
      );
    }
    return 0;
  },
);

export const namespaceCreate = command(
  {
    name: "namespace create",
    summary: "Make a namespace, whose images, containers and volumes have names of their own",
    usage: "NAME",
    positionals: [1, 1],
    options: { label: { type: "list", short: "l", value: "KEY=VALUE", help: "label of it" } },
    examples: ["sampan namespace create ci --label team=build", "sampan --namespace ci run --rm debian:12 true"],
  },
  async (values, [name = ""], globals) => {
    await using engine = await openEngine({ ...globals, namespace: "default" });
    engine.namespaces.create(name, labelsOf(values.label));
    process.stdout.write(`${name}\n`);
    return 0;
  },
);

export const namespaceLabel = command(
  {
    name: "namespace label",
    summary: "Set labels of a namespace; an empty value removes one",
    usage: "NAME KEY=VALUE...",
    positionals: [2, Infinity],
    options: {},
    examples: ["sampan namespace label ci team=build", "sampan namespace label ci team="],
  },
  async (_, [name = "", ...labels], globals) => {
    await using engine = await openEngine({ ...globals, namespace: "default" });
    engine.namespaces.label(name, labelsOf(labels));
    return 0;
  },
);

export const namespaceRm = command(
  {
    name: "namespace rm",
    summary: "Remove namespaces that have nothing in them",
    usage: "NAME...",
    positionals: [1, Infinity],
    options: {},
    examples: ["sampan namespace rm ci"],
  },
  async (_, names, globals) => {
    await using engine = await openEngine({ ...globals, namespace: "default" });
    return await forEach(names, async (name) => {
      engine.namespaces.remove(name);
      process.stdout.write(`${name}\n`);
    });
  },
);
