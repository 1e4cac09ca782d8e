/** All commands of `sampan ctr`, and the words that lead to them. */
import type { CtrCommand } from "./command.ts";
import { containerCreate } from "./container-create.ts";
import { containerDelete, containerInfo, containerList } from "./containers.ts";
import { imageDelete, imageList, imageTag } from "./images.ts";
import { imageExport, imageImport } from "./image-archives.ts";
import { imagePull } from "./image-pull.ts";
import { imagePush } from "./image-push.ts";
import { namespaceCreate, namespaceLabel, namespaceList, namespaceRemove } from "./namespaces.ts";
import { run } from "./run.ts";
import { taskAttach, taskStart } from "./task-start.ts";
import { taskExec } from "./task-exec.ts";
import { taskMetrics } from "./task-metrics.ts";
import { taskDelete, taskKill, taskList, taskPause, taskPs, taskResume } from "./tasks.ts";
import { version } from "./version.ts";

export const commands: readonly CtrCommand[] = [
  ...[imagePull, imagePush, imageList, imageTag, imageDelete, imageImport, imageExport],
  ...[containerCreate, containerList, containerInfo, containerDelete],
  ...[taskStart, taskAttach, taskExec, taskList, taskPs, taskKill, taskPause, taskResume, taskMetrics, taskDelete],
  ...[namespaceCreate, namespaceList, namespaceLabel, namespaceRemove],
  ...[run, version],
];

/** Every word for a group, and the word that the commands' names begin with. */
export const groupNames: ReadonlyMap<string, string> = new Map([
  ...["images", "image", "i"].map((word) => [word, "images"] as const),
  ...["containers", "container", "c"].map((word) => [word, "containers"] as const),
  ...["tasks", "task", "t"].map((word) => [word, "tasks"] as const),
  ...["namespaces", "namespace", "ns"].map((word) => [word, "namespaces"] as const),
]);

/** The last words of each group's commands. */
export const groups: ReadonlyMap<string, readonly string[]> = new Map(
  [...new Set(groupNames.values())].map((group) => [
    group,
    commands.flatMap(({ definition }) => {
      const [first, last] = definition.name.split(" ");
      return first === group && last !== undefined ? [last] : [];
    }),
  ]),
);

/** The command that words lead to, and the words behind its name. */
export function findCommand(
  words: readonly string[],
): { readonly command: CtrCommand; readonly rest: readonly string[] } | undefined {
  const [first = "", second = ""] = words;
  const group = groupNames.get(first);
  const count = group === undefined ? 1 : 2;
  const command = commands.find(({ definition, aliases }) => {
    const parts = definition.name.split(" ");
    if (parts.length !== count || parts[0] !== (group ?? first)) return false;
    return count === 1 || [parts[1], ...aliases].includes(second);
  });
  return command && { command, rest: words.slice(count) };
}
