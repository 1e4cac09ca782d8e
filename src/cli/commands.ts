/** All commands, in the order of `--help`. Each is loaded when it is asked for: a command's start pays for no other one. */
import type { Command } from "./command.ts";

type Loader = () => Promise<Command>;

const loaders: ReadonlyMap<string, Loader> = new Map<string, Loader>([
  ["run", async () => (await import("./commands/run.ts")).run],
  ["create", async () => (await import("./commands/create.ts")).create],
  ["exec", async () => (await import("./commands/exec.ts")).exec],
  ["attach", async () => (await import("./commands/attach.ts")).attach],
  ["ps", async () => (await import("./commands/ps.ts")).ps],
  ["logs", async () => (await import("./commands/logs.ts")).logs],
  ["start", async () => (await import("./commands/start.ts")).start],
  ["stop", async () => (await import("./commands/stop.ts")).stop],
  ["restart", async () => (await import("./commands/restart.ts")).restart],
  ["kill", async () => (await import("./commands/kill.ts")).kill],
  ["pause", async () => (await import("./commands/pause.ts")).pause],
  ["unpause", async () => (await import("./commands/unpause.ts")).unpause],
  ["wait", async () => (await import("./commands/wait.ts")).wait],
  ["rm", async () => (await import("./commands/rm.ts")).rm],
  ["rename", async () => (await import("./commands/rename.ts")).rename],
  ["update", async () => (await import("./commands/update.ts")).update],
  ["top", async () => (await import("./commands/top.ts")).top],
  ["stats", async () => (await import("./commands/stats.ts")).stats],
  ["events", async () => (await import("./commands/events.ts")).events],
  ["inspect", async () => (await import("./commands/inspect.ts")).inspect],
  ["cp", async () => (await import("./commands/cp.ts")).cp],
  ["diff", async () => (await import("./commands/diff.ts")).diff],
  ["commit", async () => (await import("./commands/commit.ts")).commit],
  ["export", async () => (await import("./commands/export.ts")).exportCommand],
  ["import", async () => (await import("./commands/import.ts")).importCommand],
  ["pull", async () => (await import("./commands/pull.ts")).pull],
  ["push", async () => (await import("./commands/push.ts")).push],
  ["images", async () => (await import("./commands/images.ts")).images],
  ["tag", async () => (await import("./commands/tag.ts")).tag],
  ["history", async () => (await import("./commands/history.ts")).history],
  ["image inspect", async () => (await import("./commands/image-inspect.ts")).imageInspect],
  ["image mount", async () => (await import("./commands/image-mount.ts")).imageMount],
  ["image unmount", async () => (await import("./commands/image-unmount.ts")).imageUnmount],
  ["image prune", async () => (await import("./commands/image-prune.ts")).imagePrune],
  ["image pin", async () => (await import("./commands/image-pin.ts")).imagePin],
  ["save", async () => (await import("./commands/save.ts")).save],
  ["load", async () => (await import("./commands/load.ts")).load],
  ["rmi", async () => (await import("./commands/rmi.ts")).rmi],
  ["login", async () => (await import("./commands/login.ts")).login],
  ["logout", async () => (await import("./commands/logout.ts")).logout],
  ["copy", async () => (await import("./commands/copy.ts")).copy],
  ["tags", async () => (await import("./commands/tags.ts")).tags],
  ["referrers", async () => (await import("./commands/referrers.ts")).referrers],
  ["registry rm", async () => (await import("./commands/registry-rm.ts")).registryRm],
  ["pod create", async () => (await import("./commands/pod-create.ts")).podCreate],
  ["pod run", async () => (await import("./commands/pod-run.ts")).podRun],
  ["pod ps", async () => (await import("./commands/pod-ps.ts")).podPs],
  ["pod inspect", async () => (await import("./commands/pod-inspect.ts")).podInspect],
  ["pod start", async () => (await import("./commands/pod-start.ts")).podStart],
  ["pod stop", async () => (await import("./commands/pod-stop.ts")).podStop],
  ["pod rm", async () => (await import("./commands/pod-rm.ts")).podRm],
  ["volume ls", async () => (await import("./commands/volume-ls.ts")).volumeLs],
  ["volume create", async () => (await import("./commands/volume-create.ts")).volumeCreate],
  ["volume inspect", async () => (await import("./commands/volume-inspect.ts")).volumeInspect],
  ["volume rm", async () => (await import("./commands/volume-rm.ts")).volumeRm],
  ["volume prune", async () => (await import("./commands/volume-prune.ts")).volumePrune],
  ["network ls", async () => (await import("./commands/network-ls.ts")).networkLs],
  ["network create", async () => (await import("./commands/network-create.ts")).networkCreate],
  ["network inspect", async () => (await import("./commands/network-inspect.ts")).networkInspect],
  ["network connect", async () => (await import("./commands/network-connect.ts")).networkConnect],
  ["network disconnect", async () => (await import("./commands/network-disconnect.ts")).networkDisconnect],
  ["network rm", async () => (await import("./commands/network-rm.ts")).networkRm],
  ["network prune", async () => (await import("./commands/network-prune.ts")).networkPrune],
  ["network reload", async () => (await import("./commands/network-reload.ts")).networkReload],
  ["port", async () => (await import("./commands/port.ts")).port],
  ["port add", async () => (await import("./commands/port-add.ts")).portAdd],
  ["port rm", async () => (await import("./commands/port-rm.ts")).portRm],
  ["system df", async () => (await import("./commands/system-df.ts")).systemDf],
  ["system prune", async () => (await import("./commands/system-prune.ts")).systemPrune],
  ["content fsck", async () => (await import("./commands/content-fsck.ts")).contentFsck],
  ["content ls", async () => (await import("./commands/content-ls.ts")).contentLs],
  ["content prune", async () => (await import("./commands/content-prune.ts")).contentPrune],
  ["namespace ls", async () => (await import("./commands/namespace.ts")).namespaceLs],
  ["namespace create", async () => (await import("./commands/namespace.ts")).namespaceCreate],
  ["namespace label", async () => (await import("./commands/namespace.ts")).namespaceLabel],
  ["namespace rm", async () => (await import("./commands/namespace.ts")).namespaceRm],
  ["lease ls", async () => (await import("./commands/lease.ts")).leaseLs],
  ["lease create", async () => (await import("./commands/lease.ts")).leaseCreate],
  ["lease rm", async () => (await import("./commands/lease.ts")).leaseRm],
  ["daemon", async () => (await import("./commands/daemon.ts")).daemon],
  ["config default", async () => (await import("./commands/config.ts")).configDefault],
  ["config check", async () => (await import("./commands/config.ts")).configCheck],
  ["context create", async () => (await import("./commands/context.ts")).contextCreate],
  ["context ls", async () => (await import("./commands/context.ts")).contextLs],
  ["context use", async () => (await import("./commands/context.ts")).contextUse],
  ["context rm", async () => (await import("./commands/context.ts")).contextRm],
  ["completion", async () => (await import("./commands/completion.ts")).completion],
  ["man", async () => (await import("./commands/man.ts")).man],
  ["explain", async () => (await import("./commands/explain.ts")).explain],
  ["doctor", async () => (await import("./commands/doctor.ts")).doctor],
  ["version", async () => (await import("./commands/version.ts")).version],
  ["supervise", async () => (await import("./commands/supervise.ts")).supervise],
]);
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

export const commandNames: readonly string[] = [...loaders.keys()];

/** All of them, by name. */
export async function loadCommands(): Promise<ReadonlyMap<string, Command>> {
  const all = await Promise.all(
    [...loaders].map(async ([name, load]): Promise<[string, Command]> => [name, await load()]),
  );
  return new Map(all);
}

/** The command that a command line begins with, and how many words that takes. */
export function findCommand(words: readonly string[]): { readonly load: Loader; readonly words: number } | undefined {
  const two = words.slice(0, 2).join(" ");
  const long = loaders.get(two) ?? loaders.get(aliases.get(two) ?? "");
  if (long !== undefined && words.length > 1) return { load: long, words: 2 };
  const short = loaders.get(words[0] ?? "");
  return short && { load: short, words: 1 };
}
