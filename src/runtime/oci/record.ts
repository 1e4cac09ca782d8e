/**
 * What an OCI runtime keeps of a container between its commands: `container.json` and a copy of the config in the
 * container's state directory. How the container *is* isn't in it: see `status.ts`.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { internal, notFound } from "#errdefs";
import type { Operation } from "#plan";
import { parseRuntimeConfigText, type Resources, type RuntimeConfig } from "#spec";

export interface OciRecord {
  readonly id: string;
  readonly ociVersion: string;
  readonly bundle: string;
  readonly rootfs: string;
  /** ISO 8601, UTC. */
  readonly created: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** User id that created it. */
  readonly owner: number;
  /** The creating process: pid, and its start time in clock ticks. */
  readonly creator: readonly [pid: number, start: string];
  /** Controller → cgroup directory. */
  readonly cgroups: readonly (readonly [controller: string, directory: string])[];
  /** What removes its cgroups after its end. */
  readonly exit: readonly Operation[];
}

const fileName = "container.json";
const configName = "config.json";
const resourcesName = "resources.json";

/** JSON has neither bigints nor maps. */
const recordValue = (_: string, value: unknown): unknown => {
  if (typeof value === "bigint") return { bigint: `${value}` };
  return value instanceof Map ? { map: [...(value as Map<unknown, unknown>)] } : value;
};
const storedValue = (_: string, value: unknown): unknown => {
  if (typeof value !== "object" || value === null) return value;
  if (Object.hasOwn(value, "bigint")) return BigInt((value as { bigint: string }).bigint);
  return Object.hasOwn(value, "map") ? new Map((value as { map: [unknown, unknown][] }).map) : value;
};

export function writeRecord(directory: string, record: OciRecord, config: string): void {
  writeFileSync(join(directory, configName), config, { mode: 0o600 });
  replaceRecord(directory, record);
}

/** Of a container whose config is there already. */
export function replaceRecord(directory: string, record: OciRecord): void {
  const temporary = join(directory, `.${fileName}`);
  writeFileSync(temporary, JSON.stringify(record, recordValue), { mode: 0o600 });
  renameSync(temporary, join(directory, fileName));
}

/** Undefined when there is none: it is just being made, or its creator died before it wrote one. */
export function readRecord(directory: string): OciRecord | undefined {
  let text: string;
  try {
    text = readFileSync(join(directory, fileName), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return JSON.parse(text, storedValue) as OciRecord;
  } catch (error) {
    throw internal(`Cannot read "${join(directory, fileName)}": it is no JSON`, { cause: error });
  }
}

/** The config that the container was made from. */
export function readStoredConfig(directory: string): RuntimeConfig {
  try {
    return parseRuntimeConfigText(readFileSync(join(directory, configName), "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      throw notFound(`Cannot read "${join(directory, configName)}": no such file or directory`, { cause: error });
    throw error;
  }
}

/** The limits that hold since an update; those of the config before the first. */
export function readStoredResources(directory: string): Resources | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, resourcesName), "utf8"), storedValue) as Resources;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return readStoredConfig(directory).linux.resources;
    throw error;
  }
}

export function writeStoredResources(directory: string, resources: Resources): void {
  const temporary = join(directory, `.${resourcesName}`);
  writeFileSync(temporary, JSON.stringify(resources, recordValue), { mode: 0o600 });
  renameSync(temporary, join(directory, resourcesName));
}
