import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { loadCommands } from "../commands.ts";
import { commandHelp } from "../help.ts";
import { commandPage, generalPage } from "../manual/page.ts";
import { bashCompletion } from "./bash.ts";
import { fishCompletion } from "./fish.ts";
import { completionModel } from "./model.ts";
import { zshCompletion } from "./zsh.ts";

const definitions = [...(await loadCommands()).values()].map(({ definition }) => definition);
const model = completionModel(definitions);

/** What bash would offer for the words typed so far; `sampan` itself is a function that prints a container. */
function offered(...words: readonly string[]): readonly string[] {
  const script = `
    compopt() { :; }
    ${bashCompletion(model)}
    sampan() { echo "from:$*"; }
    COMP_WORDS=(sampan "$@"); COMP_CWORD=$#; COMPREPLY=(); _sampan; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const output = execFileSync("bash", ["-c", script, "bash", ...words], { encoding: "utf8" });
  return output.split("\n").filter((line) => line !== "");
}

describe("bashCompletion()", () => {
  it("offers commands, second words, options and values of few", () => {
    expect(offered("rena")).toStrictEqual(["rename"]);
    expect(offered("--root", "/x", "config", "")).toStrictEqual(["default", "check"]);
    expect(offered("run", "--memory-s")).toStrictEqual(["--memory-swap", "--memory-swappiness"]);
    expect(offered("daemon", "--log-format", "")).toStrictEqual(["json", "text"]);
    expect(offered("--ro")).toStrictEqual(["--root"]);
    expect(offered("nosuch", "")).toStrictEqual([]);
  });

  it("asks sampan for containers, with the options before the command", () => {
    expect(offered("stop", "")).toStrictEqual(["from:ps -a --format {{.Names}}"]);
    expect(offered("--root", "/x", "stop", "from")).toStrictEqual(["from:--root /x ps -a --format {{.Names}}"]);
  });
});

describe.each([
  ["bash", bashCompletion],
  ["zsh", zshCompletion],
  ["fish", fishCompletion],
] as const)("%s", (_, make) => {
  it("knows every command and option that is not hidden", () => {
    const script = make(model);
    const missing = model.flatMap(({ name, options }) =>
      [...name.split(" "), ...options.map((option) => option.name)].filter((word) => !script.includes(word)),
    );
    expect(missing).toStrictEqual([]);
    expect(script).not.toContain("undefined");
  });
});

describe("--help and manual pages", () => {
  it("have an example of every command, which that command's own words begin", () => {
    const without = definitions
      .filter(({ examples, name }) => !examples.some((example) => example.includes(`sampan ${name}`)))
      .map(({ name }) => name);
    expect(without).toStrictEqual([]);
    for (const definition of definitions) expect(commandHelp(definition)).toMatch(/\nExamples?:\n {2}\S/);
  });

  it("say the same: usage, options and examples, in roff that hides nothing", () => {
    for (const definition of definitions) {
      const page = commandPage(definition, "1.0");
      for (const option of Object.keys(definition.options))
        expect(page).toContain(`\\fB\\-\\-${option.replaceAll("-", "\\-")}\\fR`);
      // Lines that begin with a dot are requests, all of them ours.
      const requests = page.split("\n").filter((line) => line.startsWith("."));
      expect(requests.filter((line) => !/^\.(TH .*|SH [A-Z ]+|TP|PP|EX|EE)$/.test(line))).toStrictEqual([]);
    }
    const general = generalPage(definitions, "1.0");
    for (const { name, hidden } of definitions)
      if (hidden !== true) expect(general).toContain(`sampan-${name.replaceAll(" ", "-")}`.replaceAll("-", "\\-"));
  });
});
