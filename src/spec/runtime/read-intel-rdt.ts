import type { IntelRdtConfig } from "./attribute-types.ts";
import { malformed, optional, readBoolean, readList, readNonEmpty, readObject } from "./reader.ts";

/** Directories that the kernel makes in each group of a resctrl filesystem. */
const kernels: ReadonlySet<string> = new Set([".", "..", "info", "mon_data", "mon_groups"]);

/** `linux.intelRdt`. A schema is one line of a group's `schemata` file. */
export function readIntelRdt(value: unknown, path: string): IntelRdtConfig {
  const o = readObject(value, path);
  const memBwSchema = optional(o["memBwSchema"], `${path}.memBwSchema`, readSchema);
  if (memBwSchema !== undefined && !memBwSchema.startsWith("MB:"))
    throw malformed(`${path}.memBwSchema`, "must start with MB:");
  return {
    closID: optional(o["closID"], `${path}.closID`, readClass),
    l3CacheSchema: optional(o["l3CacheSchema"], `${path}.l3CacheSchema`, readSchema),
    memBwSchema,
    schemata: readList(o["schemata"], `${path}.schemata`, readSchema),
    enableMonitoring: optional(o["enableMonitoring"], `${path}.enableMonitoring`, readBoolean) ?? false,
  };
}

function readClass(value: unknown, path: string): string {
  const name = readNonEmpty(value, path);
  if (name === "/") return name;
  if (kernels.has(name) || name.includes("/") || name.includes("\n"))
    throw malformed(path, "must be the name of a directory, or / for the default class");
  return name;
}

function readSchema(value: unknown, path: string): string {
  const line = readNonEmpty(value, path);
  if (line.includes("\n")) throw malformed(path, "must be one line");
  return line;
}
