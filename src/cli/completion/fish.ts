import { globalOptions, listings, type CompletedCommand, type Kind } from "./model.ts";

const quoted = (text: string): string => `'${text.replace(/[\\']/g, "\\$&")}'`;

function values(kind: Kind): string {
  if (kind === "files") return "-F";
  return kind === "none" ? "" : `-f -a '(sampan ${listings[kind].replaceAll("'", "\\'")} 2>/dev/null)'`;
}

function condition(name: string): string {
  const [first = "", second] = name.split(" ");
  return second === undefined ? `__sampan_is ${first}` : `__sampan_is ${first} ${second}`;
}

function commandLines({ name, options, argument }: CompletedCommand): readonly string[] {
  const when = `complete -c sampan -n ${quoted(condition(name))}`;
  return [
    ...(argument === "files" || argument === "none" ? [] : [`${when} ${values(argument)}`]),
    ...options.map(({ name: option, short, help, takesValue, kind, choices }) => {
      const value = choices.length > 0 ? `-x -a ${quoted(choices.join(" "))}` : takesValue ? `-r ${values(kind)}` : "";
      return `${when} -l ${option}${short === undefined ? "" : ` -s ${short}`} ${value} -d ${quoted(help)}`.replace(
        / {2,}/g,
        " ",
      );
    }),
  ];
}

/** A script for `sampan completion fish | source`. */
export function fishCompletion(commands: readonly CompletedCommand[]): string {
  const globals = globalOptions.map(({ name }) => `--${name}`).join(" ");
  const firsts = commands.map(({ name, summary }) => {
    const [first = "", second] = name.split(" ");
    const when = second === undefined ? "__sampan_is" : `__sampan_is ${first}`;
    return `complete -c sampan -f -n ${quoted(when)} -a ${second ?? first} -d ${quoted(summary)}`;
  });
  const groups = [
    ...new Set(commands.filter(({ name }) => name.includes(" ")).map(({ name }) => name.split(" ", 1)[0] ?? "")),
  ]
    .filter((group) => !commands.some(({ name }) => name === group))
    .map((group) => `complete -c sampan -f -n __sampan_is -a ${group} -d ${quoted(`${group} commands`)}`);
  return `# Completion of sampan for fish, made by "sampan completion fish".
# Whether the words typed so far are these, options of sampan aside.
function __sampan_is
    set -l words (commandline -opc)
    set -e words[1]
    while set -q words[1]; and string match -q -- '-*' $words[1]
        if contains -- $words[1] -H ${globals}
            set -e words[1]
        end
        set -e words[1]
    end
    if test (count $argv) -eq 0
        test (count $words) -eq 0
        return
    end
    test (count $words) -ge (count $argv); and test "$words[1..$(count $argv)]" = "$argv"
end
complete -c sampan -e
${globalOptions.map(({ name, help, kind }) => `complete -c sampan -n __sampan_is -l ${name} -r ${values(kind)} -d ${quoted(help)}`.replace(/ {2,}/g, " ")).join("\n")}
${[...firsts, ...groups].join("\n")}
${commands.flatMap(commandLines).join("\n")}
`;
}
