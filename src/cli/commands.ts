/** All commands, in the order of `--help`. */
import type { Command } from "./command.ts";
import { attach } from "./commands/attach.ts";
import { configCheck, configDefault } from "./commands/config.ts";
import { copy } from "./commands/copy.ts";
import { daemon } from "./commands/daemon.ts";
import { doctor } from "./commands/doctor.ts";
import { exec } from "./commands/exec.ts";
import { explain } from "./commands/explain.ts";
import { history } from "./commands/history.ts";
import { imageInspect } from "./commands/image-inspect.ts";
import { images } from "./commands/images.ts";
import { inspect } from "./commands/inspect.ts";
import { kill } from "./commands/kill.ts";
import { load } from "./commands/load.ts";
import { login } from "./commands/login.ts";
import { logout } from "./commands/logout.ts";
import { logs } from "./commands/logs.ts";
import { ps } from "./commands/ps.ts";
import { pull } from "./commands/pull.ts";
import { push } from "./commands/push.ts";
import { referrers } from "./commands/referrers.ts";
import { rm } from "./commands/rm.ts";
import { rmi } from "./commands/rmi.ts";
import { run } from "./commands/run.ts";
import { save } from "./commands/save.ts";
import { start } from "./commands/start.ts";
import { stop } from "./commands/stop.ts";
import { tag } from "./commands/tag.ts";
import { tags } from "./commands/tags.ts";
import { version } from "./commands/version.ts";
import { wait } from "./commands/wait.ts";

export const commands: ReadonlyMap<string, Command> = new Map(
  [
    ...[run, exec, attach, ps, logs, start, stop, kill, wait, rm, inspect],
    ...[pull, push, images, tag, history, imageInspect, save, load, rmi],
    ...[login, logout, copy, tags, referrers],
    ...[daemon, configDefault, configCheck, explain, doctor, version],
  ].map((c) => [c.definition.name, c]),
);

/** Docker's longer words for the same. */
const aliases: ReadonlyMap<string, string> = new Map([
  ["image ls", "images"],
  ["image rm", "rmi"],
  ...["pull", "push", "tag", "history", "save", "load"].map((name): [string, string] => [`image ${name}`, name]),
]);

/** The command that a command line begins with, and how many words that takes. */
export function findCommand(
  words: readonly string[],
): { readonly command: Command; readonly words: number } | undefined {
  const two = words.slice(0, 2).join(" ");
  const long = commands.get(two) ?? commands.get(aliases.get(two) ?? "");
  if (long !== undefined && words.length > 1) return { command: long, words: 2 };
  const short = commands.get(words[0] ?? "");
  return short && { command: short, words: 1 };
}
