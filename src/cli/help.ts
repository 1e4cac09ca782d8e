/** `--help`, made from the commands' own definitions. */
import type { CommandDefinition } from "./command.ts";

export function commandHelp(definition: CommandDefinition): string {
  const lines = [
    `Usage: ${definition.program ?? "sampan"} ${definition.name} [OPTIONS] ${definition.usage}`.trimEnd(),
    "",
    definition.summary,
    "",
  ];
  const rows = Object.entries(definition.options).map(([name, option]): readonly [string, string] => {
    const short = option.short === undefined ? "    " : `-${option.short}, `;
    const value = option.type === "boolean" ? "" : ` ${option.value ?? "VALUE"}`;
    return [
      `  ${short}--${name}${value}`,
      option.help + (option.type === "list" ? " (may be given several times)" : ""),
    ];
  });
  if (rows.length > 0) lines.push("Options:", ...columns(rows), "");
  lines.push(definition.examples.length === 1 ? "Example:" : "Examples:", ...definition.examples.map((x) => `  ${x}`));
  return `${lines.join("\n")}\n`;
}

export function generalHelp(commands: readonly CommandDefinition[]): string {
  return [
    "Usage: sampan [--root DIR] [--state DIR] [--host HOST] COMMAND",
    "",
    "Containers from images, with or without a daemon.",
    "",
    "Commands:",
    ...columns([
      ...commands.filter((c) => c.hidden !== true).map((c): readonly [string, string] => [`  ${c.name}`, c.summary]),
      ["  oci", "the OCI runtime's command line (sampan-oci): containers from bundles, as with runc"],
      ["  ctr", "containerd's client's commands, with its words and its output"],
    ]),
    "",
    "Options:",
    ...columns([
      ["  --root DIR", "where images and containers are kept (SAMPAN_ROOT, default /var/lib/sampan)"],
      ["  --state DIR", "where the state of running containers is kept (SAMPAN_STATE, default /run/sampan)"],
      [
        "  -H, --host HOST",
        "a daemon's socket or address: unix:///run/sampan/sampan.sock, tcp://HOST:PORT; none for no daemon (SAMPAN_HOST)",
      ],
      ["  --context NAME", "a daemon's name, as sampan context create has noted it (SAMPAN_CONTEXT)"],
      ["  --version", "print the version"],
    ]),
    "",
    "See sampan COMMAND --help for a command's options and examples.",
    "",
  ].join("\n");
}

/** Lines of two columns; a long first cell gets a line of its own. */
export function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.min(34, Math.max(...rows.map(([left]) => left.length)) + 2);
  return rows.map(([left, right]) =>
    left.length + 2 > width ? `${left}\n${" ".repeat(width)}${right}` : left.padEnd(width) + right,
  );
}
