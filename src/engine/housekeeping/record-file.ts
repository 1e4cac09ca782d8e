/** A container's record, once more, in its directory: for the day on which the database is lost. */
import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { EnginePaths } from "../paths.ts";
import type { ContainerRecord, Records } from "../records.ts";

const fileName = "record.json";

interface RecordFile extends ContainerRecord {
  readonly namespace: string;
}

/** Writes it; never fails, since the database has it. Passwords may be in it, in the environment. */
export function writeRecord(paths: EnginePaths, record: ContainerRecord): void {
  const path = join(paths.containers, record.id, fileName);
  try {
    writeFileSync(`${path}.new`, JSON.stringify({ namespace: paths.namespace, ...record }), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch {
    // The disk is full, or its directory is being removed.
  }
}

/** Puts the containers of the namespace whose directories are there into an empty book. Names of those that are. */
export function restoreRecords(paths: EnginePaths, records: Records): readonly string[] {
  const restored: string[] = [];
  for (const id of directoriesIn(paths.containers)) {
    const record = readRecord(join(paths.containers, id, fileName));
    if (record === undefined || record.id !== id || record.namespace !== paths.namespace || records.has(id)) continue;
    const { namespace: _, ...rest } = record;
    try {
      records.insert(rest);
    } catch {
      // Two have the same name: one had been renamed when the disk was full.
      records.insert({ ...rest, name: `${rest.name}_${id.slice(0, 6)}` });
    }
    records.release(id);
    restored.push(rest.name);
  }
  return restored;
}

/** Puts volumes whose directories are there into an empty book. */
export function restoreVolumes(paths: EnginePaths, records: Records): readonly string[] {
  const names = directoriesIn(paths.volumes).filter((name) => !name.startsWith("."));
  for (const name of names) records.addVolume(name, /^[0-9a-f]{64}$/.test(name));
  return names;
}

function directoriesIn(path: string): readonly string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

function readRecord(path: string): RecordFile | undefined {
  try {
    const found = JSON.parse(readFileSync(path, "utf8")) as Partial<RecordFile>;
    return isRecord(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

/** It was written here, by whoever may write to the database: only what a crash may have left is looked for. */
function isRecord(found: Partial<RecordFile>): found is RecordFile {
  const texts = [found.id, found.name, found.image, found.imageId, found.namespace];
  return (
    texts.every((text) => typeof text === "string") &&
    typeof found.createdAt === "number" &&
    typeof found.options === "object" &&
    typeof found.resolved === "object" &&
    Array.isArray(found.resolved.args) &&
    Array.isArray(found.resolved.volumes)
  );
}
