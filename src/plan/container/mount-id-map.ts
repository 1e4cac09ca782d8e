import { invalidArgument } from "#errdefs";
import type { IdMapping, MountConfig } from "#spec";
import type { IdMap } from "../operation.gen.ts";
import type { MountWords } from "./mount-words.ts";
import { toIdMaps } from "./namespaces.ts";

/** How the ids of a mount's files are shown: those on the disk (inside) as others (outside). */
export interface MountIdMap {
  readonly uids: readonly IdMap[];
  readonly gids: readonly IdMap[];
  /** File of a user namespace that has the maps, instead of the lists; or empty. */
  readonly userNamespace: string;
  readonly recursive: boolean;
}

/** The user namespace of a container: its maps when it is made for it, its file when it is there already. */
export type ContainerUsers =
  | { readonly kind: "created"; readonly uids: readonly IdMapping[]; readonly gids: readonly IdMapping[] }
  | { readonly kind: "joined"; readonly path: string };

/** Undefined for a mount without any. */
export function mountIdMap(
  { uidMappings, gidMappings }: MountConfig,
  { idMap }: MountWords,
  target: string,
  users: ContainerUsers | undefined,
): MountIdMap | undefined {
  const given = uidMappings.length > 0 || gidMappings.length > 0;
  if (idMap === undefined && !given) return undefined;
  const recursive = idMap?.recursive ?? false;
  const maps = (uids: readonly IdMapping[], gids: readonly IdMapping[]): MountIdMap => ({
    uids: toIdMaps(uids, "uid", `on "${target}"`),
    gids: toIdMaps(gids, "gid", `on "${target}"`),
    userNamespace: "",
    recursive,
  });
  if (idMap !== undefined && idMap.maps !== "") {
    if (given) throw invalidArgument(`Cannot map ids on "${target}": option idmap= stands beside uidMappings`);
    const read = (name: "uids" | "gids"): readonly IdMapping[] => readMaps(idMap.maps, name, target, users);
    return maps(read("uids"), read("gids"));
  }
  if (given) return maps(uidMappings, gidMappings);
  if (users === undefined)
    throw invalidArgument(`Cannot map ids on "${target}": the container has no user namespace to take the maps from`);
  if (users.kind === "joined") return { uids: [], gids: [], userNamespace: users.path, recursive };
  return maps(users.uids, users.gids);
}

/**
 * One list of crun's `uids=0-1-10#10-11-10;gids=…`: of each triplet the first id on the disk, the first as it is shown, and
 * how many. With `@` before it the second is an id of the container's user namespace.
 */
function readMaps(
  text: string,
  name: "uids" | "gids",
  target: string,
  users: ContainerUsers | undefined,
): readonly IdMapping[] {
  const malformed = (part: string, state: string): Error =>
    invalidArgument(`Cannot map ids on "${target}": "${part}" ${state}`);
  let found: string | undefined;
  for (const part of text.split(";")) {
    const [, key, value] = /^(uids|gids)=(.+)$/s.exec(part) ?? [];
    if (key === undefined) throw malformed(part, "is not uids=… or gids=…");
    if (key === name) found = value;
  }
  if (found === undefined) throw malformed(text, `has no ${name}=`);
  return found.split("#").map((triplet) => {
    const [, at, ...numbers] = /^(@?)([0-9]{1,10})-([0-9]{1,10})-([0-9]{1,10})$/.exec(triplet) ?? [];
    const [containerID = 0, shown = 0, size = 0] = numbers.map(Number);
    if (at === undefined || size === 0 || Math.max(containerID, shown) + size > 0xffff_ffff)
      throw malformed(triplet, "is not three numbers such as 0-1000-10");
    if (at === "") return { containerID, hostID: shown, size };
    if (users?.kind !== "created") throw malformed(triplet, "is relative to a user namespace that is not made here");
    const map = (name === "uids" ? users.uids : users.gids).find(
      (line) => shown >= line.containerID && shown < line.containerID + line.size,
    );
    if (map === undefined)
      throw malformed(triplet, "begins at an id that the container's user namespace does not have");
    return { containerID, hostID: map.hostID + (shown - map.containerID), size };
  });
}
