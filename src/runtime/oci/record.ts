/**
 * What an OCI runtime keeps of a container between its commands: `container.json` and a copy of the config in the
 * container's state directory. How the container *is* isn't in it: see `status.ts`.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { internal, notFound } from "#errdefs";
import type { Operation } from "#plan";
import { parseRuntimeConfigText, type RuntimeConfig } from "#spec";

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

const bigintToText = (_: string, value: unknown): unknown =>
  typeof value === "bigint" ? { bigint: `${value}` } : value;
const textToBigint = (_: string, value: unknown): unknown =>
  typeof value === "object" && value !== null && "bigint" in value ? BigInt(value.bigint as string) : value;

export function writeRecord(directory: string, record: OciRecord, config: string): void {
  writeFileSync(join(directory, configName), config, { mode: 0o600 });
  const temporary = join(directory, `.${fileName}`);
  writeFileSync(temporary, JSON.stringify(record, bigintToText), { mode: 0o600 });
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
    return JSON.parse(text, textToBigint) as OciRecord;
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
