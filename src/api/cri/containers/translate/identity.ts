/** Who a container's process is. */
import type { ContainerOptions } from "#engine";
import { SupplementalGroupsPolicy } from "../../gen/runtime/v1/common_pb.ts";
import type { LinuxContainerSecurityContext } from "../../gen/runtime/v1/containers_pb.ts";
import { inRange, refuse } from "./check.ts";

/** Largest id of a user or group. */
const mostId = 2n ** 31n - 1n;

export function identity(
  path: string,
  context: LinuxContainerSecurityContext | undefined,
): Pick<ContainerOptions, "user" | "groupAdd" | "groupsPolicy"> {
  const { runAsUser, runAsUsername = "", runAsGroup, supplementalGroups = [] } = context ?? {};
  if (runAsUser !== undefined && runAsUsername !== "")
    refuse(`${path}.run_as_username`, runAsUsername, "run_as_user is given too");
  if (runAsUsername.includes("\0") || runAsUsername.includes(":"))
    refuse(`${path}.run_as_username`, runAsUsername, "it is no name of a user");
  const user =
    runAsUser === undefined ? runAsUsername : String(inRange(`${path}.run_as_user`, runAsUser.value, 0n, mostId));
  const group = runAsGroup === undefined ? "" : String(inRange(`${path}.run_as_group`, runAsGroup.value, 0n, mostId));
  if (group !== "" && user === "")
    refuse(`${path}.run_as_group`, group, "neither run_as_user nor run_as_username is given");
  const groups = supplementalGroups.map((id, index) =>
    String(inRange(`${path}.supplemental_groups[${index}]`, id, 0n, mostId)),
  );
  return {
    groupsPolicy: policy(path, context?.supplementalGroupsPolicy ?? SupplementalGroupsPolicy.Merge),
    ...(user !== "" && { user: group === "" ? user : `${user}:${group}` }),
    ...(groups.length > 0 && { groupAdd: groups }),
  };
}

function policy(path: string, value: SupplementalGroupsPolicy): "merge" | "strict" {
  switch (value) {
    case SupplementalGroupsPolicy.Merge:
      return "merge";
    case SupplementalGroupsPolicy.Strict:
      return "strict";
    default:
      return refuse(`${path}.supplemental_groups_policy`, value, "there is no such policy");
  }
}
