import { invalidArgument, unsupported } from "#errdefs";
import type { MountConfig } from "#spec";
import { mountPropagation } from "../tables/mount-flags.ts";
import { mountIdMap } from "./mount-id-map.ts";
import type { MountWords } from "./mount-words.ts";
import type { MountContext, MountLists } from "./mounts.ts";

const mountsSource = "runtime-spec config.md#mounts";
const noMaps = { uids: [], gids: [], userNamespace: "", recursive: false };

export function addBind(
  lists: MountLists,
  mount: MountConfig,
  target: string,
  words: MountWords,
  context: MountContext,
): void {
  const idMap = mountIdMap(mount, words, target, context.users);
  if (idMap !== undefined && context.facts.rootless)
    throw unsupported(`Cannot map ids on "${target}": that takes the rights of root of the host`);
  // The kernel would ignore it, and nobody would know.
  if (words.own !== undefined)
    throw invalidArgument(`Cannot bind to "${target}": option "${words.own}" is one of filesystems, not of binds`);
  const common = {
    source: bindSource(mount.source, target, context.bundle),
    target,
    recursive: words.bindRecursive || !words.bind,
    set: words.set,
    clear: words.clear,
    setRecursive: words.setRecursive,
    clearRecursive: words.clearRecursive,
    propagation: words.propagation,
    propagationRecursive: words.propagationRecursive,
  };
  const has = (name: "sourceNoFollow" | "targetNoFollow" | "copyLink"): boolean => words.switches.has(name);
  const peer = isPeer(words, context);
  const special = has("sourceNoFollow") || has("targetNoFollow") || has("copyLink");
  if (idMap === undefined && !peer && !special && !context.fromOutside) {
    lists.list.add({ op: "bind", ...common }, "The container sees this path of the host", mountsSource);
    return;
  }
  const slot = lists.slot();
  // Whoever has entered another user namespace may map no ids any more.
  const early = peer || context.fromOutside || (idMap !== undefined && context.users?.kind === "joined");
  const { recursive: mapRecursive, ...maps } = idMap ?? noMaps;
  (early ? lists.early : lists.list).add(
    {
      op: "open-source",
      slot,
      source: common.source,
      recursive: common.recursive,
      noFollow: has("sourceNoFollow") || has("copyLink"),
      peer,
      set: common.set,
      clear: common.clear,
      setRecursive: common.setRecursive,
      clearRecursive: common.clearRecursive,
      propagation: common.propagation,
      propagationRecursive: common.propagationRecursive,
      ...maps,
      mapRecursive,
    },
    idMap !== undefined
      ? "Files of this path of the host show with owners that the container knows"
      : peer
        ? "What is mounted below this path, on the host or in the container, appears in both"
        : "This path of the host is for the container",
    idMap === undefined ? mountsSource : "mount_setattr(2)",
  );
  lists.list.add(
    { op: "attach-source", slot, target, noFollow: has("targetNoFollow"), copyLink: has("copyLink") },
    "The container sees this path of the host",
    mountsSource,
  );
}

/** As for the kernel, a bind stays a peer of its source unless something else is asked for. */
function isPeer({ propagation }: MountWords, context: MountContext): boolean {
  // Root of a user namespace must not be able to mount what the host then sees.
  if (!context.shared || context.userNamespace) return false;
  return propagation === 0n || propagation === mountPropagation.shared;
}

function bindSource(source: string, target: string, bundle: string | undefined): string {
  if (source === "") throw invalidArgument(`Cannot bind to "${target}": the mount has no source`);
  if (source.includes("\0")) throw invalidArgument(`Cannot bind to "${target}": its source contains a NUL character`);
  if (source.startsWith("/")) return source;
  if (bundle === undefined) throw invalidArgument(`Cannot bind "${source}": the path is not absolute`);
  return `${bundle}/${source}`;
}
