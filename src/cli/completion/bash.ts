import { globalOptions, listings, type CompletedCommand, type CompletedOption, type Kind } from "./model.ts";

/** How bash gets the words of a kind; `$cur` is what has been typed of one. */
function reply(kind: Kind): string {
  if (kind === "files") return "compopt -o default; COMPREPLY=()";
  if (kind === "none") return "COMPREPLY=()";
  return `_sampan_words "$("\${COMP_WORDS[0]}" "\${globals[@]}" ${listings[kind]} 2>/dev/null)"`;
}

const names = ({ name, short }: CompletedOption): string => `--${name}${short === undefined ? "" : `|-${short}`}`;

function commandCase({ name, options, argument }: CompletedCommand): string {
  const values = options
    .filter((option) => option.takesValue)
    .map((option) => {
      const body = option.choices.length > 0 ? `_sampan_words "${option.choices.join("\n")}"` : reply(option.kind);
      return `      ${names(option)}) ${body}; return ;;`;
    });
  const words = options.flatMap((option) => [
    `--${option.name}`,
    ...(option.short === undefined ? [] : [`-${option.short}`]),
  ]);
  return [
    `  ${JSON.stringify(name)})`,
    ...(values.length === 0 ? [] : ['    case "$prev" in', ...values, "    esac"]),
    `    if [[ $cur == -* ]]; then _sampan_words "${[...words, "--help"].join("\n")}"; else ${reply(argument)}; fi ;;`,
  ].join("\n");
}

/** A script for `source <(sampan completion bash)`. */
export function bashCompletion(commands: readonly CompletedCommand[]): string {
  const globals = globalOptions.map(({ name }) => `--${name}`).join("|");
  const firsts = [...new Set(commands.map(({ name }) => name.split(" ", 1)[0]))];
  const twoWords = commands.filter(({ name }) => name.includes(" "));
  const groups = [...new Set(twoWords.map(({ name }) => name.split(" ", 1)[0] ?? ""))];
  return `# Completion of sampan for bash, made by "sampan completion bash".
_sampan_words() {
  local IFS=$'\\n' word
  COMPREPLY=()
  for word in $1; do [[ $word == "$cur"* ]] && COMPREPLY+=("$word"); done
}

_sampan() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} at=1 globals=()
  while ((at < COMP_CWORD)); do
    case \${COMP_WORDS[at]} in
    ${globals}|-H) globals+=("\${COMP_WORDS[at]}" "\${COMP_WORDS[at + 1]}"); ((at += 2)) ;;
    -*) globals+=("\${COMP_WORDS[at]}"); ((at += 1)) ;;
    *) break ;;
    esac
  done
  if ((at > COMP_CWORD)); then
    case "$prev" in
${globalOptions.map(({ name, kind }) => `    --${name}) ${reply(kind)} ;;`).join("\n")}
    esac
    return
  fi
  if ((at == COMP_CWORD)); then
    if [[ $cur == -* ]]; then _sampan_words "${[...globalOptions.map(({ name }) => `--${name}`), "--help", "--version"].join("\n")}"
    else _sampan_words "${firsts.join("\n")}"; fi
    return
  fi
  local command=\${COMP_WORDS[at]}
  case "$command" in
${groups
  .map((group) => {
    const seconds = twoWords
      .filter(({ name }) => name.startsWith(`${group} `))
      .map(({ name }) => name.slice(group.length + 1));
    const alone = commands.some(({ name }) => name === group);
    const list = `_sampan_words "${seconds.join("\n")}"`;
    return `  ${group})
    if ((at + 1 == COMP_CWORD)); then ${alone ? `if [[ $cur != -* ]]; then ${list}; return; fi` : `${list}; return`}
    else case \${COMP_WORDS[at + 1]} in ${seconds.join("|")}) command+=" \${COMP_WORDS[at + 1]}" ;; esac; fi ;;`;
  })
  .join("\n")}
  esac
  case "$command" in
${commands.map(commandCase).join("\n")}
  esac
}
complete -F _sampan sampan
`;
}
