import { globalOptions, listings, type CompletedCommand, type CompletedOption, type Kind } from "./model.ts";

/** Within single quotes, and where `:` and brackets have a meaning. */
const quoted = (text: string): string => text.replaceAll("'", "'\\''").replace(/[[\]:\\]/g, "\\$&");

function action(kind: Kind): string {
  if (kind === "files") return "_files";
  return kind === "none" ? " " : `_sampan_${kind}`;
}

function argument({ name, short, help, takesValue, kind, choices }: CompletedOption): readonly string[] {
  const value = takesValue ? `:value:${choices.length > 0 ? `(${choices.join(" ")})` : action(kind)}` : "";
  const words = [`--${name}`, ...(short === undefined ? [] : [`-${short}`])];
  return words.map((word) => `'*${word}[${quoted(help)}]${value}'`);
}

function commandFunction({ name, options, argument: kind }: CompletedCommand): string {
  const lines = [...options.flatMap(argument), "'--help[show its options]'", `'*:argument:${action(kind)}'`];
  return `_sampan_command_${name.replaceAll(/[ -]/g, "_")}() {\n  _arguments -s \\\n    ${lines.join(" \\\n    ")}\n}`;
}

/** A script for a directory of `$fpath`, or for `source <(sampan completion zsh)`. */
export function zshCompletion(commands: readonly CompletedCommand[]): string {
  const described = (list: readonly (readonly [string, string])[]): string =>
    list.map(([word, help]) => `    '${quoted(word)}:${quoted(help)}'`).join("\n");
  const single = commands.filter(({ name }) => !name.includes(" "));
  const groups = [
    ...new Set(commands.filter(({ name }) => name.includes(" ")).map(({ name }) => name.split(" ", 1)[0] ?? "")),
  ];
  const seconds = (group: string): readonly (readonly [string, string])[] =>
    commands
      .filter(({ name }) => name.startsWith(`${group} `))
      .map(({ name, summary }) => [name.slice(group.length + 1), summary]);
  const firsts = [
    ...single.map(({ name, summary }): readonly [string, string] => [name, summary]),
    ...groups
      .filter((g) => !single.some(({ name }) => name === g))
      .map((g): readonly [string, string] => [g, `${g} commands`]),
  ];
  return `#compdef sampan
# Completion of sampan for zsh, made by "sampan completion zsh".
${Object.entries(listings)
  .map(
    ([kind, line]) =>
      `_sampan_${kind}() {\n  local -a found\n  found=(\${(f)"$(_call_program ${kind} sampan ${line})"})\n  compadd -a found\n}`,
  )
  .join("\n")}
${commands.map(commandFunction).join("\n")}

_sampan() {
  local context state line
  typeset -A opt_args
  local -a commands=(
${described(firsts)}
  )
  _arguments -C \\
    ${globalOptions.map(({ name, help, kind }) => `'--${name}[${quoted(help)}]:value:${action(kind)}'`).join(" \\\n    ")} \\
    '--help[show the commands]' '--version[print the version]' \\
    '1:command:->command' '*::argument:->argument'
  case $state in
  command) _describe command commands ;;
  argument)
    case $line[1] in
${groups
  .map(
    (group) => `    ${group})
      local -a words_of_${group.replaceAll("-", "_")}=(
${described(seconds(group))}
      )
      if ((CURRENT == 2)); then _describe command words_of_${group.replaceAll("-", "_")}; ${
        single.some(({ name }) => name === group) ? `_sampan_command_${group}; ` : ""
      }return; fi
      local inner=_sampan_command_${group.replaceAll("-", "_")}_\${line[2]//[- ]/_}
      if (($+functions[$inner])); then shift words; ((CURRENT--)); $inner; return; fi ;;`,
  )
  .join("\n")}
    esac
    local outer=_sampan_command_\${line[1]//[- ]/_}
    (($+functions[$outer])) && $outer ;;
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _sampan "$@"; else compdef _sampan sampan; fi
`;
}
