/** What a container's processes may do, and what they share with the host and with others. */
import type { ContainerOptions } from "#engine";
import { failedPrecondition } from "#errdefs";
import {
  NamespaceMode,
  SecurityProfile_ProfileType as ProfileType,
  type NamespaceOption,
  type SecurityProfile,
  type SELinuxOption,
} from "../../gen/runtime/v1/common_pb.ts";
import type { LinuxContainerSecurityContext } from "../../gen/runtime/v1/containers_pb.ts";
import { absolutePath, plainText, refuse } from "./check.ts";

export interface SecurityFacts {
  /** Active security modules of the host. */
  readonly lsm: readonly string[];
  /** Reads a profile of system calls. Throws SampanError. */
  readonly readProfile: (path: string) => object;
}

type SecurityOptions = Pick<
  ContainerOptions,
  | "privileged"
  | "capAdd"
  | "capDrop"
  | "capAmbient"
  | "readOnly"
  | "noNewPrivileges"
  | "maskedPaths"
  | "readonlyPaths"
  | "seccomp"
  | "apparmor"
  | "selinuxLabel"
  | "selinuxMountLabel"
>;

/**
 * Without a security context all is as with the engine's own containers. With one, what it does not say is not done: a
 * kubelet says all.
 */
export function security(
  path: string,
  context: LinuxContainerSecurityContext | undefined,
  facts: SecurityFacts,
): SecurityOptions {
  if (context === undefined) return {};
  const { privileged, capabilities, readonlyRootfs, noNewPrivs } = context;
  const names = (name: string, list: readonly string[]): readonly string[] =>
    list.map((text, index) => capability(`${path}.capabilities.${name}[${index}]`, text));
  const paths = (name: string, list: readonly string[]): readonly string[] =>
    list.map((text, index) => absolutePath(`${path}.${name}[${index}]`, text));
  const add = names("add_capabilities", capabilities?.addCapabilities ?? []);
  const drop = names("drop_capabilities", capabilities?.dropCapabilities ?? []);
  const ambient = names("add_ambient_capabilities", capabilities?.addAmbientCapabilities ?? []);
  return {
    ...(privileged && { privileged }),
    ...(add.length > 0 && { capAdd: add }),
    ...(drop.length > 0 && { capDrop: drop }),
    ...(ambient.length > 0 && { capAmbient: ambient }),
    ...(readonlyRootfs && { readOnly: true }),
    ...(noNewPrivs && { noNewPrivileges: true }),
    maskedPaths: paths("masked_paths", context.maskedPaths),
    readonlyPaths: paths("readonly_paths", context.readonlyPaths),
    ...seccomp(path, context, facts),
    ...apparmor(path, context, facts),
    ...selinux(`${path}.selinux_options`, context.selinuxOptions, facts),
  };
}

function capability(field: string, name: string): string {
  return /^[A-Za-z_]{1,40}$/.test(name) ? name : refuse(field, name, "it is no name of a capability");
}

/** The older of two fields for one thing: a text. */
function olderProfile(field: string, text: string): SecurityProfile | undefined {
  const profile = (profileType: ProfileType, localhostRef = ""): SecurityProfile => ({
    $typeName: "runtime.v1.SecurityProfile",
    profileType,
    localhostRef,
  });
  if (text === "") return undefined;
  if (text === "unconfined") return profile(ProfileType.Unconfined);
  if (text === "runtime/default" || text === "docker/default") return profile(ProfileType.RuntimeDefault);
  if (text.startsWith("localhost/")) return profile(ProfileType.Localhost, text.slice("localhost/".length));
  return refuse(field, text, "it is neither runtime/default, unconfined nor localhost/ and a profile");
}

function seccomp(
  path: string,
  { privileged, seccomp: given, seccompProfilePath }: LinuxContainerSecurityContext,
  { readProfile }: SecurityFacts,
): Pick<ContainerOptions, "seccomp"> {
  const profile = given ?? olderProfile(`${path}.seccomp_profile_path`, seccompProfilePath);
  if (privileged || profile === undefined || profile.profileType === ProfileType.Unconfined)
    return { seccomp: "unconfined" };
  if (profile.profileType === ProfileType.RuntimeDefault) return {};
  if (profile.profileType !== ProfileType.Localhost)
    refuse(`${path}.seccomp.profile_type`, profile.profileType, "there is no such type");
  return { seccomp: readProfile(absolutePath(`${path}.seccomp.localhost_ref`, profile.localhostRef)) };
}

function apparmor(
  path: string,
  { privileged, apparmor: given, apparmorProfile }: LinuxContainerSecurityContext,
  { lsm }: SecurityFacts,
): Pick<ContainerOptions, "apparmor"> {
  const profile = given ?? olderProfile(`${path}.apparmor_profile`, apparmorProfile);
  // Sampan brings no profile of its own: what it confines by is the rest.
  if (privileged || profile === undefined || profile.profileType !== ProfileType.Localhost) return {};
  const name = profile.localhostRef.replace(/^localhost\//, "");
  const field = `${path}.apparmor.localhost_ref`;
  if (name === "" || /\s/.test(name)) refuse(field, name, "it is no name of a profile");
  plainText(field, name);
  if (!lsm.includes("apparmor"))
    throw failedPrecondition(`Cannot use ${field} "${name}": AppArmor is not active on this host`, {
      remedy: "Leave the profile out, or boot with AppArmor",
    });
  return { apparmor: name };
}

/** Without SELinux a label means nothing, as with every other runtime. */
function selinux(
  field: string,
  options: SELinuxOption | undefined,
  { lsm }: SecurityFacts,
): Pick<ContainerOptions, "selinuxLabel" | "selinuxMountLabel"> {
  if (options === undefined || !lsm.includes("selinux")) return {};
  const { user, role, type, level } = options;
  if (user + role + type + level === "") return {};
  const label = (own: string): string => [user || "system_u", role || "system_r", own, level || "s0"].join(":");
  for (const text of [user, role, type, level])
    // A level has colons of its own.
    if (/[\s"]/.test(text) || (text !== level && text.includes(":"))) refuse(field, text, "it is no part of a label");
  return {
    selinuxLabel: label(type || "container_t"),
    selinuxMountLabel: ["system_u", "object_r", "container_file_t", level || "s0"].join(":"),
  };
}

/**
 * Network and shared memory are the pod's, whatever the container says.
 *
 * @param findTarget checks the container whose processes are to be seen, and gives its whole id
 */
export function namespaces(
  path: string,
  own: NamespaceOption | undefined,
  findTarget: (field: string, id: string) => string,
): Pick<ContainerOptions, "pid"> {
  switch (own?.pid ?? NamespaceMode.POD) {
    case NamespaceMode.POD:
      return {};
    case NamespaceMode.CONTAINER:
      return { pid: "private" };
    case NamespaceMode.NODE:
      return { pid: "host" };
    case NamespaceMode.TARGET:
      return { pid: `container:${findTarget(`${path}.target_id`, own?.targetId ?? "")}` };
    default:
      return refuse(`${path}.pid`, own?.pid, "there is no such mode");
  }
}
