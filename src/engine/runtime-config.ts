/**
 * The runtime-spec configuration of a container: what `planContainer` compiles. Pure but for devices, which are looked at
 * on the host.
 */
import { hostname as hostName } from "node:os";
import { invalidArgument, unsupported } from "#errdefs";
import {
  defaultMaskedPaths,
  defaultMounts,
  defaultReadonlyPaths,
  defaultSeccompProfile,
  privilegedDeviceRules,
  resolveSeccompFile,
  type HostFacts,
} from "#plan";
import {
  parseSeccompFile,
  type MountConfig,
  type NamespaceConfig,
  type RuntimeConfig,
  type SeccompProfile,
} from "#spec";
import { applyCdi } from "./cdi/apply.ts";
import { allDevices, givenDevices } from "./devices.ts";
import { bindMount, checkedMountOptions, isShared } from "./bind-mount.ts";
import { containerNamespaces, sharesHostIpc } from "./namespace-modes.ts";
import type { ContainerOptions, MountOption } from "./options.ts";
import { processCapabilities, processRlimits } from "./process-config.ts";
import type { ResolvedContainer } from "./records.ts";
import { containerResources, oomScore } from "./resources.ts";
import { parseBytes } from "./units.ts";

export interface ConfigContext {
  readonly facts: HostFacts;
  /** The container's state directory with hostname, hosts and resolv.conf. */
  readonly directory: string;
  readonly hostname: string;
  /** Host directory of each volume by its path inside. */
  readonly volumeDirectories: ReadonlyMap<string, string>;
  /** Network namespace to join, for `container:ID` and CNI's networks. */
  readonly networkNamespace: string | undefined;
  /** PID namespace to join, for `container:ID`; undefined also while that one does not run. */
  readonly pidNamespace: string | undefined;
  /** Where /etc/hosts and the others come from: another container's directory when its network is shared. */
  readonly networkDirectory: string;
  /** Of its pod: files of the namespaces that are shared, and what goes with them. */
  readonly podDirectory: string | undefined;
}

const noIds = { uidMappings: [], gidMappings: [] };

export function runtimeConfig(
  options: ContainerOptions,
  resolved: ResolvedContainer,
  context: ConfigContext,
): RuntimeConfig {
  const { facts } = context;
  const privileged = options.privileged === true;
  const capabilities = processCapabilities(options, facts, resolved.user.uid);
  const devices = givenDevices(options.devices ?? []);
  const config: RuntimeConfig = {
    ociVersion: "1.3.0",
    root: { path: "rootfs", readonly: options.readOnly === true },
    process: {
      terminal: options.tty === true,
      user: { uid: resolved.user.uid, gid: resolved.user.gid, additionalGids: resolved.user.groups },
      args: resolved.args,
      env: resolved.env,
      cwd: resolved.cwd,
      capabilities,
      rlimits: processRlimits(options.ulimits ?? []),
      noNewPrivileges: options.noNewPrivileges === true,
      oomScoreAdj: oomScore(options),
      apparmorProfile: options.apparmor,
      selinuxLabel: options.selinuxLabel,
    },
    hostname: options.uts === "host" ? undefined : context.hostname,
    domainname: options.domainname,
    mounts: mounts(options, resolved, context),
    hooks: { prestart: [], createRuntime: [], createContainer: [], startContainer: [], poststart: [], poststop: [] },
    annotations: new Map(Object.entries(options.annotations ?? {})),
    linux: {
      namespaces: podNamespaces(
        containerNamespaces(options, { network: context.networkNamespace, pid: context.pidNamespace }),
        resolved,
        context,
      ),
      ...noIds,
      timeOffsets: new Map(),
      devices: privileged ? allDevices() : devices.devices,
      resources: containerResources(options, [...(privileged ? privilegedDeviceRules : []), ...devices.rules]),
      sysctl: new Map(Object.entries(options.sysctls ?? {})),
      seccomp: seccomp(options, facts, capabilities.bounding, resolved.image32 === true),
      maskedPaths: privileged ? [] : (options.maskedPaths ?? defaultMaskedPaths(facts)),
      readonlyPaths: privileged ? [] : (options.readonlyPaths ?? defaultReadonlyPaths),
      // Otherwise what is to be shared with the host would be a slave like all else.
      rootfsPropagation: options.mounts?.some(isShared) === true ? "rshared" : undefined,
      mountLabel: options.selinuxMountLabel,
    },
  };
  return resolved.cdi === undefined ? config : applyCdi(config, resolved.cdi);
}

/** The host name inside: given, the host's with its network, or the beginning of the id. */
export function containerHostname(options: ContainerOptions, id: string): string {
  // They go into /etc/hosts, where a line feed would begin another host's line (as CVE-2022-4318 did in /etc/passwd).
  for (const name of [options.hostname, options.domainname])
    if (name !== undefined && !/^[a-zA-Z0-9._-]{0,64}$/.test(name))
      throw invalidArgument(
        `Cannot use host name ${JSON.stringify(name)}: it may have at most 64 letters, digits, ".", "_" and "-"`,
      );
  const hosts = options.network === "host" || options.uts === "host";
  return options.hostname ?? (hosts ? hostName() : id.slice(0, 12));
}

/** Those that the pod's containers share are joined. */
function podNamespaces(
  own: readonly NamespaceConfig[],
  { pod }: ResolvedContainer,
  { podDirectory }: ConfigContext,
): NamespaceConfig[] {
  return own.map((namespace) => {
    const file = namespace.type === "network" ? "net" : namespace.type;
    const shared = pod?.share.some((name) => name === file) === true;
    return shared ? { type: namespace.type, path: `${podDirectory}/${file}` } : namespace;
  });
}

function mounts(options: ContainerOptions, resolved: ResolvedContainer, context: ConfigContext): MountConfig[] {
  const shmSize = options.shmSize === undefined ? {} : { shmSize: BigInt(parseBytes(options.shmSize, "--shm-size")) };
  const own: MountConfig[] = [];
  for (const mount of options.mounts ?? []) {
    const target = checkTarget(mount.target);
    if (mount.type === "image")
      own.push({
        destination: target,
        type: "image",
        source: mount.source ?? "",
        options: checkedMountOptions(mount),
        ...noIds,
      });
    else if (mount.type !== "volume")
      own.push(mount.type === "bind" ? bindMount(mount, target) : tmpfsMount(mount, target));
  }
  for (const volume of resolved.volumes) {
    const directory = context.volumeDirectories.get(volume.target);
    if (directory === undefined) continue;
    own.push({
      destination: volume.target,
      type: "bind",
      source: directory,
      options: ["rbind", volume.readOnly ? "ro" : "rw"],
      ...noIds,
    });
  }
  const taken = new Set(own.map((m) => m.destination));
  const defaults = defaultMounts({ ...shmSize, privileged: options.privileged === true })
    .filter((m) => !taken.has(m.destination))
    .map((m) => {
      // Shared memory is part of what an IPC namespace is for.
      if (m.destination === "/dev/shm" && resolved.pod?.share.includes("ipc") === true)
        return {
          ...m,
          type: "bind",
          source: `${context.podDirectory}/shm`,
          options: ["bind", "nosuid", "nodev", "noexec"],
        };
      if (m.destination === "/dev/shm" && sharesHostIpc(options))
        return { ...m, type: "bind", source: "/dev/shm", options: ["rbind", "nosuid", "nodev", "noexec"] };
      // Sysfs shows the network of the namespace that mounts it, so it can be mounted only with one of its own.
      if (m.type === "sysfs" && options.network === "host")
        return { ...m, type: "bind", source: "/sys", options: ["rbind", "nosuid", "noexec", "nodev", "ro"] };
      return m;
    });
  const files = ["resolv.conf", "hostname", "hosts"]
    .filter((name) => !taken.has(`/etc/${name}`))
    .map((name) => ({
      destination: `/etc/${name}`,
      type: "bind",
      source: `${name === "hostname" ? context.directory : context.networkDirectory}/${name}`,
      options: ["bind", "rprivate"],
      ...noIds,
    }));
  // A mount below another must come after it, whatever the order in which they were asked for.
  const depth = (path: string): number => path.split("/").length;
  own.sort((a, b) => depth(a.destination) - depth(b.destination));
  return [...defaults, ...files, ...own];
}

/** An absolute, clean path that is not the root itself. */
export function checkTarget(target: string): string {
  const clean = target.replace(/\/+/g, "/").replace(/(.)\/$/, "$1");
  if (
    !clean.startsWith("/") ||
    clean === "/" ||
    clean.split("/").some((p) => p === ".." || p === ".") ||
    clean.includes("\0")
  )
    throw invalidArgument(`Cannot mount on "${target}": it is not an absolute path below /`);
  return clean;
}

function tmpfsMount(mount: MountOption, target: string): MountConfig {
  const given = mount.tmpfsOptions ?? [];
  const read = mount.readOnly === true ? ["ro"] : [];
  return {
    destination: target,
    type: "tmpfs",
    source: "tmpfs",
    options: ["nosuid", "nodev", "noexec", ...given, ...read],
    ...noIds,
  };
}

/** One object for the same capabilities and kind of image, so that a compiled filter is found by identity. */
const defaultProfiles = new Map<string, SeccompProfile>();

function seccomp(
  options: ContainerOptions,
  facts: HostFacts,
  capabilities: readonly string[],
  image32: boolean,
): SeccompProfile | undefined {
  if (options.seccomp === "unconfined" || (options.privileged === true && options.seccomp === undefined))
    return undefined;
  if (!facts.seccomp)
    throw unsupported("Cannot install the system call filter: this kernel has none", {
      remedy: "See sampan doctor, or run with --security-opt seccomp=unconfined",
    });
  const seccompContext = { capabilities, architecture: facts.architecture, kernel: facts.kernel, image32 };
  if (options.seccomp !== undefined) return resolveSeccompFile(parseSeccompFile(options.seccomp), seccompContext);
  const key = `${facts.architecture} ${image32} ${capabilities.join(" ")}`;
  let profile = defaultProfiles.get(key);
  if (profile === undefined) {
    profile = defaultSeccompProfile(seccompContext);
    defaultProfiles.set(key, profile);
  }
  return profile;
}
