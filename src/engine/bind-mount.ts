/** Host paths that a container sees. */
import { mkdirSync, readFileSync, realpathSync } from "node:fs";
import { failedPrecondition, invalidArgument } from "#errdefs";
import { parseMountInfo } from "#host";
import type { IdMapping, MountConfig } from "#spec";
import type { IdMapOption } from "./isolation-options.ts";
import type { ContainerOptions, MountOption } from "./options.ts";

const propagations = new Set(["private", "rprivate", "shared", "rshared", "slave", "rslave"]);
const mountOptions = new Set(["noexec", "nodev", "nosuid"]);

const idMappings = (list: readonly IdMapOption[] = []): readonly IdMapping[] =>
  list.map(({ containerId, hostId, size }) => ({ containerID: containerId, hostID: hostId, size }));

/** @param target checked already */
export function bindMount(mount: MountOption, target: string): MountConfig {
  const propagation = mount.propagation ?? "rprivate";
  if (!propagations.has(propagation))
    throw invalidArgument(`Cannot bind "${mount.source}": "${propagation}" is no propagation`, {
      remedy: `It is one of ${[...propagations].join(", ")}`,
    });
  if (mount.source === undefined || !mount.source.startsWith("/"))
    throw invalidArgument(`Cannot bind "${mount.source ?? ""}" on "${target}": the source is not an absolute path`);
  const recursive = mount.recursiveReadOnly === true;
  if (recursive && mount.readOnly !== true)
    throw invalidArgument(`Cannot bind "${mount.source}": it is to be recursively read-only, but not read-only`);
  if (recursive && !propagation.endsWith("private"))
    throw invalidArgument(`Cannot bind "${mount.source}": what is recursively read-only has private propagation`);
  return {
    destination: target,
    type: "bind",
    source: mount.source,
    options: [
      mount.nonRecursive === true ? "bind" : "rbind",
      propagation,
      mount.readOnly === true ? "ro" : "rw",
      ...(recursive ? ["rro"] : []),
      ...checkedMountOptions(mount),
    ],
    uidMappings: idMappings(mount.uidMappings),
    gidMappings: idMappings(mount.gidMappings),
  };
}

/** @throws SampanError `invalid-argument` */
export function checkedMountOptions({ target, mountOptions: words = [] }: MountOption): readonly string[] {
  const unknown = words.find((word) => !mountOptions.has(word));
  if (unknown !== undefined)
    throw invalidArgument(`Cannot mount on "${target}": "${unknown}" is none of noexec, nodev and nosuid`);
  return words;
}

/** What is mounted below the bind inside appears on the host too. */
export const isShared = ({ type, propagation }: MountOption): boolean =>
  type === "bind" && (propagation === "shared" || propagation === "rshared");

const isSlave = ({ type, propagation }: MountOption): boolean =>
  type === "bind" && (propagation === "slave" || propagation === "rslave");

/**
 * Makes the sources that are to be made, and checks that those which are to be shared can be.
 *
 * @throws SampanError `failed-precondition`, `invalid-argument`
 */
export function prepareSources({ mounts = [] }: Pick<ContainerOptions, "mounts">): void {
  for (const mount of mounts) {
    const { type, source = "" } = mount;
    if (type !== "bind") continue;
    if (mount.makeSource === true) makeSource(source);
    if (isShared(mount) || isSlave(mount)) checkPropagation(source, isShared(mount));
  }
}

function makeSource(source: string): void {
  try {
    mkdirSync(source, { recursive: true, mode: 0o755 });
  } catch (error) {
    // What is there, whatever it is, is taken as it is.
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return;
    throw invalidArgument(`Cannot bind "${source}": it is missing and can't be made: ${(error as Error).message}`, {
      path: source,
      cause: error,
    });
  }
}

/** As the kernel would not say: a private mount passes nothing on, whatever its copy in the container is. */
function checkPropagation(source: string, shared: boolean): void {
  let path: string;
  try {
    path = realpathSync(source);
  } catch (error) {
    throw invalidArgument(`Cannot bind "${source}": it is not there`, { path: source, cause: error });
  }
  const holds = (mountPoint: string): boolean =>
    mountPoint === "/" || path === mountPoint || path.startsWith(`${mountPoint}/`);
  // Of several on one place the last covers the others.
  const mount = parseMountInfo(readFileSync("/proc/self/mountinfo", "utf8"))
    .filter(({ mountPoint }) => holds(mountPoint))
    .reduce((found, next) => (next.mountPoint.length >= found.mountPoint.length ? next : found));
  const has = (kind: string): boolean => mount.propagation.some((word) => word.startsWith(kind));
  if (has("shared:") || (!shared && has("master:"))) return;
  throw failedPrecondition(
    `Cannot bind "${source}" with propagation ${shared ? "shared" : "slave"}: it is on mount "${mount.mountPoint}", which is not shared`,
    { path: source, remedy: `mount --make-rshared ${mount.mountPoint}` },
  );
}
