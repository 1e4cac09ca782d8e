import { commands, groupNames, groups } from "./commands.ts";
import { programName } from "./command.ts";

const wordsFor = (group: string): string =>
  [...groupNames].flatMap(([word, of]) => (of === group ? [word] : [])).join(", ");

export function generalHelp(): string {
  const lines = [...groups].map(([group, words]) => `  ${wordsFor(group).padEnd(30)} ${words.join(" ")}`);
  const single = commands
    .filter(({ definition }) => !definition.name.includes(" "))
    .map(({ definition }) => `  ${definition.name.padEnd(30)} ${definition.summary}`);
  return `Containers and images in the words of containerd's client, over Sampan

Usage: ${programName} [--namespace NAME] COMMAND

${[...lines, ...single].join("\n")}

Options:
  -n, --namespace NAME           whose containers and images ($CONTAINERD_NAMESPACE); default without it
  --address, --timeout, --debug  are accepted and mean nothing: no daemon is needed
`;
}

export function groupHelp(group: string): string {
  const lines = commands
    .filter(({ definition }) => definition.name.startsWith(`${group} `))
    .map(({ definition, aliases }) => {
      const words = [definition.name.slice(group.length + 1), ...aliases].join(", ");
      return `  ${words.padEnd(24)} ${definition.summary}`;
    });
  return `Usage: ${programName} ${group} COMMAND\n\n${lines.join("\n")}\n`;
}
