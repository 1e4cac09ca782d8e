/** What the container of a request would get of the host beyond what every container gets: for whoever decides on it. */
import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import type { Message } from "@bufbuild/protobuf";
import type { ContainerOptions } from "../gen/sampan/v1/options_pb.ts";
import type { CreateContainerRequest, ExecOptions, ExecRequest } from "../gen/sampan/v1/containers_pb.ts";

export interface ContainerDemand {
  /** Host paths that it mounts, without symbolic links. */
  readonly binds: readonly string[];
  /** What is more than a plain container, in words; empty when nothing is. */
  readonly privileges: readonly string[];
}

/** Undefined for a message that asks for nothing of the kind. */
export function demandOf(message: Message): ContainerDemand | undefined {
  switch (message.$typeName) {
    case "sampan.v1.CreateContainerRequest":
      return optionsDemand((message as CreateContainerRequest).options);
    case "sampan.v1.ExecOptions":
      return execDemand(message as ExecOptions);
    case "sampan.v1.ExecRequest": {
      const opened = (message as ExecRequest).message;
      return opened.case === "open" ? execDemand(opened.value) : undefined;
    }
    default:
      return undefined;
  }
}

function execDemand({ privileged }: ExecOptions): ContainerDemand | undefined {
  return privileged ? { binds: [], privileges: ["--privileged"] } : undefined;
}

function optionsDemand(options: ContainerOptions | undefined): ContainerDemand | undefined {
  if (options === undefined) return undefined;
  const privileges = [
    options.privileged === true && "--privileged",
    options.devices.length > 0 && "devices of the host",
    options.capAdd.length > 0 && "further capabilities",
    options.volumesFrom.length > 0 && "mounts of other containers",
    options.mounts.some(({ volumeOptions }) => Object.keys(volumeOptions).length > 0) && "options of a volume's driver",
    options.deviceRules.length > 0 && "device rules",
    options.cgroupParent !== undefined && "another cgroup",
    Object.keys(options.cgroupFiles).length > 0 && "files of its cgroup",
    options.oomScoreAdj !== undefined && options.oomScoreAdj < 0 && "a lower OOM score",
    options.publish.length > 0 && "ports of the host",
    options.publishAll === true && "ports of the host",
    options.network === "host" && "the host's network",
    options.networks.some(({ name }) => name === "host") && "the host's network",
    options.seccomp !== undefined && "another system call filter",
    options.pid !== undefined && options.pid !== "private" && "processes of others",
    (options.ipc === "host" || options.uts === "host") && "namespaces of the host",
    options.capAmbient.length > 0 && "ambient capabilities",
    (options.maskedPaths !== undefined || options.readonlyPaths !== undefined) && "other hidden paths",
    (options.apparmor !== undefined || options.selinuxLabel !== undefined) && "another security label",
    options.cdiDevices.length > 0 && "devices of the host",
    options.logPath !== undefined && "another log file of the host",
    options.mounts.some(({ propagation }) => propagation?.endsWith("shared") === true) && "mounts that the host sees",
  ].filter((word) => word !== false);
  const binds = options.mounts.flatMap((mount) => {
    if (mount.type !== "bind" || mount.source === undefined) return [];
    // What was looked at is what is mounted: a link put in its place later is not followed.
    mount.source = plainPath(mount.source);
    return [mount.source];
  });
  return { binds, privileges };
}

function plainPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve("/", path);
  }
}
