/** Manual pages in man(7)'s words, from the commands' own definitions. */
import type { CommandDefinition } from "../command.ts";

/** Text that roff takes for text. */
function text(value: string): string {
  const escaped = value.replaceAll("\\", "\\e").replaceAll("-", "\\-");
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

const heading = (name: string, version: string): string =>
  `.TH ${JSON.stringify(name.toUpperCase())} 1 "" ${JSON.stringify(`Sampan ${version}`)} "Sampan"`;

/** As files and `man` name it: `sampan-image-inspect`. */
export function pageName(command: string): string {
  return `sampan-${command.replaceAll(" ", "-")}`;
}

export function commandPage(definition: CommandDefinition, version: string): string {
  const { name, summary, usage, options, examples } = definition;
  const entries = Object.entries(options).flatMap(([option, { type, short, help, value }]) => {
    const names = [...(short === undefined ? [] : [`\\fB\\-${short}\\fR`]), `\\fB\\-\\-${text(option)}\\fR`].join(", ");
    const shown = type === "boolean" ? "" : ` \\fI${text(value ?? "VALUE")}\\fR`;
    return [".TP", names + shown, text(help + (type === "list" ? " (may be given several times)" : ""))];
  });
  return `${[
    heading(pageName(name), version),
    ".SH NAME",
    `${text(pageName(name))} \\- ${text(summary)}`,
    ".SH SYNOPSIS",
    `\\fBsampan ${text(name)}\\fR ${text(["[OPTIONS]", usage].join(" ").trim())}`,
    ".SH DESCRIPTION",
    text(`${summary}.`),
    ...(entries.length === 0 ? [] : [".SH OPTIONS", ...entries]),
    ".SH EXAMPLES",
    ...examples.flatMap((example) => [".PP", ".EX", text(example), ".EE"]),
    ".SH SEE ALSO",
    "\\fBsampan\\fR(1)",
  ].join("\n")}\n`;
}

export function generalPage(definitions: readonly CommandDefinition[], version: string): string {
  return `${[
    heading("sampan", version),
    ".SH NAME",
    "sampan \\- containers from images",
    ".SH SYNOPSIS",
    "\\fBsampan\\fR [\\fB\\-\\-root\\fR \\fIDIR\\fR] [\\fB\\-\\-state\\fR \\fIDIR\\fR] [\\fB\\-\\-host\\fR \\fIHOST\\fR] \\fICOMMAND\\fR",
    ".SH DESCRIPTION",
    text("Runs containers from images, in its own process or by a daemon that answers at its socket."),
    ".SH COMMANDS",
    ...definitions
      .filter(({ hidden }) => hidden !== true)
      .flatMap(({ name, summary }) => [".TP", `\\fB${text(pageName(name))}\\fR(1)`, text(summary)]),
    ".SH ENVIRONMENT",
    ...(
      [
        ["SAMPAN_ROOT", "where images and containers are kept, /var/lib/sampan by default"],
        ["SAMPAN_STATE", "where the state of running containers is kept, /run/sampan by default"],
        ["SAMPAN_HOST", "a daemon's socket or address; none for no daemon"],
        ["SAMPAN_CONTEXT", "name of a daemon that sampan context create has noted"],
        ["SAMPAN_NAMESPACE", "whose images and containers"],
      ] as const
    ).flatMap(([name, meaning]) => [".TP", `\\fB${name}\\fR`, text(meaning)]),
  ].join("\n")}\n`;
}
