/** All commands, in the order of `--help`. */
import type { Command } from "./command.ts";
import { attach } from "./commands/attach.ts";
import { commit } from "./commands/commit.ts";
import { completion } from "./commands/completion.ts";
import { configCheck, configDefault } from "./commands/config.ts";
import { contentFsck } from "./commands/content-fsck.ts";
import { contentLs } from "./commands/content-ls.ts";
import { contentPrune } from "./commands/content-prune.ts";
import { contextCreate, contextLs, contextRm, contextUse } from "./commands/context.ts";
import { copy } from "./commands/copy.ts";
import { cp } from "./commands/cp.ts";
import { create } from "./commands/create.ts";
import { daemon } from "./commands/daemon.ts";
import { diff } from "./commands/diff.ts";
import { doctor } from "./commands/doctor.ts";
import { events } from "./commands/events.ts";
import { exec } from "./commands/exec.ts";
import { explain } from "./commands/explain.ts";
import { exportCommand } from "./commands/export.ts";
import { history } from "./commands/history.ts";
import { imageInspect } from "./commands/image-inspect.ts";
import { imageMount } from "./commands/image-mount.ts";
import { imagePin } from "./commands/image-pin.ts";
import { imagePrune } from "./commands/image-prune.ts";
import { imageUnmount } from "./commands/image-unmount.ts";
import { images } from "./commands/images.ts";
import { importCommand } from "./commands/import.ts";
import { inspect } from "./commands/inspect.ts";
import { kill } from "./commands/kill.ts";
import { leaseCreate, leaseLs, leaseRm } from "./commands/lease.ts";
import { load } from "./commands/load.ts";
import { login } from "./commands/login.ts";
import { logout } from "./commands/logout.ts";
import { logs } from "./commands/logs.ts";
import { man } from "./commands/man.ts";
import { namespaceCreate, namespaceLabel, namespaceLs, namespaceRm } from "./commands/namespace.ts";
import { networkCheck } from "./commands/network-check.ts";
import { networkConnect } from "./commands/network-connect.ts";
import { networkCreate } from "./commands/network-create.ts";
import { networkDisconnect } from "./commands/network-disconnect.ts";
import { networkInspect } from "./commands/network-inspect.ts";
import { networkLs } from "./commands/network-ls.ts";
import { networkPrune } from "./commands/network-prune.ts";
import { networkReload } from "./commands/network-reload.ts";
import { networkRm } from "./commands/network-rm.ts";
import { pause } from "./commands/pause.ts";
import { podCreate } from "./commands/pod-create.ts";
import { podInspect } from "./commands/pod-inspect.ts";
import { podPs } from "./commands/pod-ps.ts";
import { podRm } from "./commands/pod-rm.ts";
import { podRun } from "./commands/pod-run.ts";
import { podStart } from "./commands/pod-start.ts";
import { podStop } from "./commands/pod-stop.ts";
import { portAdd } from "./commands/port-add.ts";
import { portRm } from "./commands/port-rm.ts";
import { port } from "./commands/port.ts";
import { ps } from "./commands/ps.ts";
import { pull } from "./commands/pull.ts";
import { push } from "./commands/push.ts";
import { referrers } from "./commands/referrers.ts";
import { registryRm } from "./commands/registry-rm.ts";
import { rename } from "./commands/rename.ts";
import { restart } from "./commands/restart.ts";
import { rm } from "./commands/rm.ts";
import { rmi } from "./commands/rmi.ts";
import { run } from "./commands/run.ts";
import { save } from "./commands/save.ts";
import { start } from "./commands/start.ts";
import { stats } from "./commands/stats.ts";
import { stop } from "./commands/stop.ts";
import { supervise } from "./commands/supervise.ts";
import { systemDf } from "./commands/system-df.ts";
import { systemPrune } from "./commands/system-prune.ts";
import { tag } from "./commands/tag.ts";
import { tags } from "./commands/tags.ts";
import { top } from "./commands/top.ts";
import { unpause } from "./commands/unpause.ts";
import { update } from "./commands/update.ts";
import { version } from "./commands/version.ts";
import { volumeCreate } from "./commands/volume-create.ts";
import { volumeInspect } from "./commands/volume-inspect.ts";
import { volumeLs } from "./commands/volume-ls.ts";
import { volumePrune } from "./commands/volume-prune.ts";
import { volumeRm } from "./commands/volume-rm.ts";
import { wait } from "./commands/wait.ts";

export const commands: ReadonlyMap<string, Command> = new Map(
  [
    ...[run, create, exec, attach, ps, logs, start, stop, restart, kill, pause, unpause, wait, rm],
    ...[rename, update, top, stats, events, inspect, cp, diff, commit, exportCommand, importCommand],
    ...[pull, push, images, tag, history, imageInspect, imageMount, imageUnmount, imagePrune, imagePin],
    ...[save, load, rmi, login, logout, copy, tags, referrers, registryRm],
    ...[podCreate, podRun, podPs, podInspect, podStart, podStop, podRm],
    ...[volumeLs, volumeCreate, volumeInspect, volumeRm, volumePrune],
    ...[networkLs, networkCreate, networkInspect, networkConnect, networkDisconnect],
    ...[networkRm, networkPrune, networkReload, networkCheck, port, portAdd, portRm],
    ...[systemDf, systemPrune, contentFsck, contentLs, contentPrune],
    ...[namespaceLs, namespaceCreate, namespaceLabel, namespaceRm, leaseLs, leaseCreate, leaseRm],
    ...[daemon, configDefault, configCheck, contextCreate, contextLs, contextUse, contextRm],
    ...[completion, man, explain, doctor, version, supervise],
  ].map((c) => [c.definition.name, c]),
);

/** Docker's longer words for the same. */
const aliases: ReadonlyMap<string, string> = new Map([
  ["image ls", "images"],
  ["image rm", "rmi"],
  ["registry delete", "registry rm"],
  ["registry tags", "tags"],
  ["pod ls", "pod ps"],
  ["volume list", "volume ls"],
  ["volume remove", "volume rm"],
  ["network list", "network ls"],
  ["network remove", "network rm"],
  ...["pull", "push", "tag", "history", "save", "load", "import"].map((name): [string, string] => [
    `image ${name}`,
    name,
  ]),
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
