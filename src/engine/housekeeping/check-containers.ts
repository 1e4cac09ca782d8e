/** Containers and their writable layers: each must have the other. */
import { existsSync } from "node:fs";
import { openDatabase, type Finding } from "#images";
import { namespacesOnDisk } from "../namespaces.ts";
import { enginePaths } from "../paths.ts";
import type { HousekeepingTools } from "./housekeeping.ts";

/** Ids of the containers of all namespaces, and of what is mounted writable. */
function allContainers(root: string): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const namespace of namespacesOnDisk(root)) {
    const path = enginePaths(root, undefined, namespace).database;
    if (!existsSync(path)) continue;
    using book = openDatabase(path, { readOnly: true });
    for (const [table, column] of [
      ["containers", "id"],
      ["image_mounts", "snapshot"],
    ]) {
      if (book.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(table ?? "") === undefined)
        continue;
      for (const { id } of book.prepare(`SELECT ${column} AS id FROM ${table}`).all()) ids.add(id as string);
    }
  }
  return ids;
}

export async function checkContainers({
  core,
  records,
  paths,
  database,
  shared,
}: HousekeepingTools): Promise<readonly Finding[]> {
  // Before the books are read: a container is in its book before its writable layer is made.
  const snapshots = (await core.snapshotter.list()).filter(({ kind }) => kind === "snapshot");
  const known = allContainers(paths.root);
  const findings: Finding[] = [];
  for (const book of new Set([shared, database])) {
    const state = book.damage();
    if (state !== undefined) findings.push({ kind: "damaged-database", key: book.path, state, images: [] });
  }
  for (const { key } of snapshots) {
    if (!known.has(key)) {
      findings.push({ kind: "orphaned-snapshot", key, state: "its container is not there", images: [] });
    }
  }
  const present = new Set(snapshots.map(({ key }) => key));
  for (const { id, name } of records.list()) {
    if (present.has(id) || (await core.snapshotter.has(id))) continue;
    const state = `the writable layer of container "${name}" is missing`;
    if (records.has(id)) findings.push({ kind: "broken-snapshot", key: id, state, images: [] });
  }
  return findings;
}

/** Removes writable layers without a container. */
export async function repairContainers(
  findings: readonly Finding[],
  { core, paths }: HousekeepingTools,
): Promise<readonly string[]> {
  const known = allContainers(paths.root);
  const done: string[] = [];
  for (const { kind, key } of findings) {
    if (kind !== "orphaned-snapshot" || known.has(key)) continue;
    await core.snapshotter.remove(key);
    done.push(`removed writable layer ${key}`);
  }
  return done;
}
