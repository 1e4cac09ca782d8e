import { readFileSync } from "node:fs";
import { notFound } from "#errdefs";

/** Number of a group of this host, by its name or number. */
export function groupId(group: string): number {
  if (/^\d+$/.test(group)) return Number(group);
  for (const line of readFileSync("/etc/group", "utf8").split("\n")) {
    const [name, , id] = line.split(":");
    if (name === group && id !== undefined) return Number(id);
  }
  throw notFound(`Cannot find group "${group}": /etc/group does not have it`, { path: group });
}
