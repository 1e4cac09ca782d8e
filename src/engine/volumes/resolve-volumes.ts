/** Which volumes a container has. */
import { invalidArgument } from "#errdefs";
import { newId } from "../names.ts";
import type { ContainerOptions, MountOption } from "../options.ts";
import type { Records, ResolvedContainer } from "../records.ts";
import { checkTarget } from "../runtime-config.ts";
import { checkVolumeName } from "./volumes.ts";

/** Volumes of the options, and an anonymous one for each VOLUME of the image that nothing else is mounted on. */
export function resolveVolumes(options: ContainerOptions, image: readonly string[]): ResolvedContainer["volumes"] {
  const list: ResolvedContainer["volumes"][number][] = [];
  const taken = new Set<string>();
  for (const mount of options.mounts ?? []) {
    const target = checkTarget(mount.target);
    if (taken.has(target)) throw invalidArgument(`Cannot mount on "${target}": two mounts have this target`);
    taken.add(target);
    if (mount.type !== "volume") continue;
    const anonymous = mount.source === undefined || mount.source === "";
    if (!anonymous) checkVolumeName(mount.source ?? "");
    list.push({
      target,
      name: anonymous ? newId() : (mount.source ?? ""),
      anonymous,
      readOnly: mount.readOnly === true,
      noCopy: mount.noCopy === true,
    });
  }
  for (const path of image) {
    const target = checkTarget(path);
    if (taken.has(target)) continue;
    taken.add(target);
    list.push({ target, name: newId(), anonymous: true, readOnly: false, noCopy: false });
  }
  return list;
}

/**
 * The mounts of the options, and those of the containers that `volumesFrom` names where nothing else is mounted. They share
 * volumes by name, so that these go with the container that they were made for, and not with this one.
 *
 * @throws SampanError `not-found` for a container that is not there, `invalid-argument`
 */
export function withVolumesFrom(options: ContainerOptions, records: Records): readonly MountOption[] {
  const mounts = [...(options.mounts ?? [])];
  const taken = new Set(mounts.map((m) => checkTarget(m.target)));
  for (const text of options.volumesFrom ?? []) {
    const [, name = "", mode = "rw"] = /^([^:]*)(?::(.*))?$/s.exec(text) ?? [];
    if (mode !== "rw" && mode !== "ro")
      throw invalidArgument(`Cannot parse --volumes-from "${text}": it is not CONTAINER[:ro]`);
    const other = records.find(name);
    const readOnly = mode === "ro" ? { readOnly: true } : {};
    const shared: MountOption[] = [
      ...(other.options.mounts ?? []).filter((m) => m.type === "bind").map((m) => ({ ...m, ...readOnly })),
      ...other.resolved.volumes.map((v): MountOption => ({
        type: "volume",
        source: v.name,
        target: v.target,
        readOnly: v.readOnly,
        ...readOnly,
      })),
    ];
    for (const mount of shared.filter((m) => !taken.has(m.target))) {
      taken.add(mount.target);
      mounts.push(mount);
    }
  }
  return mounts;
}
