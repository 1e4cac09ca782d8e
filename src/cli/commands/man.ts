import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { invalidArgument } from "#errdefs";
import { command } from "../command.ts";

export const man = command(
  {
    name: "man",
    summary: "Print a manual page, or write all of them to a directory",
    usage: "[COMMAND...]",
    positionals: [0, 2],
    options: { output: { type: "string", short: "o", value: "DIR", help: "write all pages there, as sampan-run.1" } },
    examples: ["sampan man run | man -l -", "sampan man -o /usr/local/share/man/man1"],
  },
  async (values, words) => {
    const { findCommand, loadCommands } = await import("../commands.ts");
    const { commandPage, generalPage, pageName } = await import("../manual/page.ts");
    const { packageFile } = await import("../package.ts");
    const { version } = JSON.parse(readFileSync(packageFile(), "utf8")) as { version: string };
    const definitions = [...(await loadCommands()).values()].map(({ definition }) => definition);
    if (values.output !== undefined) {
      mkdirSync(values.output, { recursive: true });
      writeFileSync(join(values.output, "sampan.1"), generalPage(definitions, version));
      for (const definition of definitions)
        if (definition.hidden !== true)
          writeFileSync(join(values.output, `${pageName(definition.name)}.1`), commandPage(definition, version));
      return 0;
    }
    const found = findCommand(words);
    if (words.length > 0 && found?.words !== words.length)
      throw invalidArgument(`Cannot show the manual of "${words.join(" ")}": sampan has no such command`);
    const page =
      found === undefined ? generalPage(definitions, version) : commandPage((await found.load()).definition, version);
    process.stdout.write(page);
    return 0;
  },
);
