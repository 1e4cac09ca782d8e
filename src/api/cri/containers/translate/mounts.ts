/** What a container sees of the host's files, of images and of devices. */
import { posix } from "node:path";
import type { ContainerOptions, DeviceOption, MountOption } from "#engine";
import { failedPrecondition } from "#errdefs";
import type { IDMapping } from "../../gen/runtime/v1/common_pb.ts";
import { MountPropagation, type Device, type Mount } from "../../gen/runtime/v1/containers_pb.ts";
import { absolutePath, plainText, refuse } from "./check.ts";

type IdMaps = NonNullable<MountOption["uidMappings"]>;

export function mounts(list: readonly Mount[], lsm: readonly string[]): Pick<ContainerOptions, "mounts"> {
  const options = list.map((mount, index) => mountOption(`config.mounts[${index}]`, mount, lsm));
  return options.length === 0 ? {} : { mounts: options };
}

function mountOption(path: string, mount: Mount, lsm: readonly string[]): MountOption {
  const target = containerPath(`${path}.container_path`, mount.containerPath);
  for (const word of mount.mountOptions)
    if (!/^no(exec|dev|suid)$/.test(word))
      refuse(`${path}.mount_options`, word, "it is none of noexec, nodev and nosuid");
  const shared = { target, ...(mount.mountOptions.length > 0 && { mountOptions: mount.mountOptions }) };
  const image = mount.image?.image ?? "";
  if (image !== "") {
    if (mount.hostPath !== "") refuse(`${path}.host_path`, mount.hostPath, "an image is given too");
    const subpath = subPath(`${path}.image_sub_path`, mount.imageSubPath);
    if (mount.propagation !== MountPropagation.PROPAGATION_PRIVATE)
      refuse(`${path}.propagation`, mount.propagation, "an image is shared with nobody");
    return { ...shared, type: "image", source: plainText(`${path}.image.image`, image), ...subpath };
  }
  if (mount.imageSubPath !== "") refuse(`${path}.image_sub_path`, mount.imageSubPath, "no image is given");
  const source = absolutePath(`${path}.host_path`, mount.hostPath);
  if (mount.selinuxRelabel && lsm.includes("selinux"))
    throw failedPrecondition(`Cannot use ${path}.selinux_relabel: Sampan gives files of the host no other labels`, {
      remedy: `chcon -R -t container_file_t ${source}`,
    });
  if (mount.recursiveReadOnly && !mount.readonly) refuse(`${path}.recursive_read_only`, true, "readonly is not set");
  if (mount.recursiveReadOnly && mount.propagation !== MountPropagation.PROPAGATION_PRIVATE)
    refuse(`${path}.recursive_read_only`, true, "propagation is not private");
  const uids = idMaps(`${path}.uidMappings`, mount.uidMappings);
  const gids = idMaps(`${path}.gidMappings`, mount.gidMappings);
  if ((uids.length === 0) !== (gids.length === 0))
    refuse(`${path}.uidMappings`, uids.length, "uidMappings and gidMappings go together");
  return {
    ...shared,
    type: "bind",
    source: posix.normalize(source),
    makeSource: true,
    propagation: propagation(`${path}.propagation`, mount.propagation),
    ...(mount.readonly && { readOnly: true }),
    ...(mount.recursiveReadOnly && { recursiveReadOnly: true }),
    ...(uids.length > 0 && { uidMappings: uids, gidMappings: gids }),
  };
}

/** A path inside, clean, that is not the root itself. A relative one starts there. */
function containerPath(field: string, path: string): string {
  if (path === "") refuse(field, path, "it is empty");
  plainText(field, path);
  const clean = posix.normalize(`/${path}`).replace(/(.)\/$/, "$1");
  if (path.split("/").includes("..")) refuse(field, path, "it leads upwards");
  if (clean === "/") refuse(field, path, "it is the root itself");
  if (Buffer.byteLength(clean) > 4095) refuse(field, path, "it is longer than 4095 bytes");
  return clean;
}

function subPath(field: string, path: string): Pick<MountOption, "subpath"> {
  if (path === "") return {};
  plainText(field, path);
  if (path.startsWith("/")) refuse(field, path, "it is absolute");
  if (path.split("/").includes("..")) refuse(field, path, "it leads upwards");
  const clean = posix.normalize(path).replace(/\/$/, "");
  return clean === "." ? {} : { subpath: clean };
}

function propagation(field: string, value: MountPropagation): string {
  switch (value) {
    case MountPropagation.PROPAGATION_PRIVATE:
      return "rprivate";
    case MountPropagation.PROPAGATION_HOST_TO_CONTAINER:
      return "rslave";
    case MountPropagation.PROPAGATION_BIDIRECTIONAL:
      return "rshared";
    default:
      return refuse(field, value, "there is no such propagation");
  }
}

const mostIds = 2 ** 32 - 1;

function idMaps(field: string, list: readonly IDMapping[]): IdMaps {
  return list.map(({ hostId, containerId, length }, index) => {
    if (length === 0 || Math.max(hostId, containerId) + length > mostIds)
      refuse(`${field}[${index}].length`, length, "it is 0, or goes beyond the last id");
    return { containerId, hostId, size: length };
  });
}

export function devices(list: readonly Device[]): Pick<ContainerOptions, "devices"> {
  const options = list.map(({ containerPath: inside, hostPath, permissions }, index): DeviceOption => {
    const field = `config.devices[${index}]`;
    if (!/^(?=[rwm]{1,3}$)(?!.*(.).*\1)/.test(permissions))
      refuse(`${field}.permissions`, permissions, "it is not of r, w and m");
    return {
      hostPath: absolutePath(`${field}.host_path`, hostPath),
      path: containerPath(`${field}.container_path`, inside === "" ? hostPath : inside),
      permissions,
    };
  });
  return options.length === 0 ? {} : { devices: options };
}
