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
  ["container prune", async () => (await import("./commands/container-prune.ts")).containerPrune],
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
  ["network check", async () => (await import("./commands/network-check.ts")).networkCheck],
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
  ["info", async () => (await import("./commands/info.ts")).info],
  ["version", async () => (await import("./commands/version.ts")).version],
  ["supervise", async () => (await import("./commands/supervise.ts")).supervise],
]);

/** Docker's longer words for the same. */
const aliases: ReadonlyMap<string, string> = new Map([
  ["container ls", "ps"],
  ["container list", "ps"],
  ["container remove", "rm"],
  ...[
    ...["attach", "commit", "cp", "create", "diff", "exec", "export", "inspect", "kill", "logs", "pause", "port"],
    ...["rename", "restart", "rm", "run", "start", "stats", "stop", "top", "unpause", "update", "wait"],
  ].map((name): [string, string] => [`container ${name}`, name]),
  ["image ls", "images"],
  ["image list", "images"],
  ["image remove", "rmi"],
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
