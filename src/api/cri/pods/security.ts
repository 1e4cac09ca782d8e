/** What a pod's security context may say. Its user and groups are of no effect: there is no process of the pod itself. */
import { unsupported } from "#errdefs";
import {
  NamespaceMode,
  NamespaceModeSchema,
  SecurityProfile_ProfileType,
  type UserNamespace,
} from "../gen/runtime/v1/common_pb.ts";
import type { LinuxSandboxSecurityContext } from "../gen/runtime/v1/pods_pb.ts";
import { enumName, refuse } from "../refuse.ts";

const action = "make a pod sandbox";
const prefix = "config.linux.security_context";

export function checkSecurity(context: LinuxSandboxSecurityContext | undefined): void {
  if (context === undefined) return;
  const { runAsGroup, runAsUser, seccomp, apparmor, namespaceOptions } = context;
  if (runAsGroup !== undefined && runAsUser === undefined)
    refuse(action, `${prefix}.run_as_group`, "is given without run_as_user");
  for (const [field, value] of Object.entries({ run_as_user: runAsUser, run_as_group: runAsGroup }))
    if (value !== undefined && (value.value < 0n || value.value > 0xffff_fffen))
      refuse(action, `${prefix}.${field}`, `${value.value} is no id`);
  for (const [field, profile] of Object.entries({ seccomp, apparmor }))
    if (profile?.profileType === SecurityProfile_ProfileType.Localhost && profile.localhostRef === "")
      refuse(action, `${prefix}.${field}.localhost_ref`, "is missing");
  checkUserNamespace(namespaceOptions?.usernsOptions);
}

/** One map of each kind, both alike, that has the container's root (Kubernetes' KEP-127). */
function checkUserNamespace(options: UserNamespace | undefined): void {
  if (options === undefined) return;
  const field = `${prefix}.namespace_options.userns_options`;
  const { mode, uids, gids } = options;
  if (mode === NamespaceMode.NODE) {
    if (uids.length + gids.length > 0) refuse(action, field, "has maps with mode NODE, which has none");
    return;
  }
  if (mode !== NamespaceMode.POD)
    refuse(action, `${field}.mode`, `is ${enumName(NamespaceModeSchema, mode)}, and not POD or NODE`);
  for (const [name, maps] of Object.entries({ uids, gids })) {
    const [map] = maps;
    if (map === undefined || maps.length !== 1)
      return refuse(action, `${field}.${name}`, `has ${maps.length} maps, and not one`);
    if (map.length === 0) refuse(action, `${field}.${name}[0].length`, "is 0");
    if (map.containerId !== 0) refuse(action, `${field}.${name}[0].container_id`, `is ${map.containerId}, and not 0`);
    if (map.hostId + map.length > 0xffff_ffff) refuse(action, `${field}.${name}[0]`, "reaches beyond the last id");
  }
  const [uid] = uids;
  const [gid] = gids;
  if (uid?.hostId !== gid?.hostId || uid?.length !== gid?.length)
    refuse(action, field, "has different maps of users and groups");
  throw unsupported("Cannot make a pod sandbox: this runtime gives pods no user namespace yet", {
    remedy: "Leave userns_options out, or give it mode NODE",
  });
}
