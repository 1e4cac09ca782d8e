/**
 * Named leases, once more, beside the database.
 *
 *     {"namespace":"default","id":"build","created":1700000000000,"lifetime":60000,"labels":{},"keys":["sha256:…"]}
 *     {"namespace":"default","id":"build"}       it was ended
 */
import { logChange, readChanges } from "./change-log.ts";
import type { Database } from "./database.ts";

export interface LoggedLease {
  readonly namespace: string;
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly created: number;
  /** Milliseconds; without end when it is not there. */
  readonly lifetime?: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly keys: readonly string[];
}

const pathOf = ({ path }: Database): string => `${path}-leases`;

/** Notes that a lease is as it is now, or is no more. Called in the transaction that changes it. */
export function logLease(
  database: Database,
  lease: LoggedLease | Pick<LoggedLease, "namespace" | "id">,
  all: () => Iterable<LoggedLease>,
): void {
  logChange(pathOf(database), lease, all);
}

/** Those that had not ended. */
export function readLeases(database: Database): readonly LoggedLease[] {
  const leases = new Map<string, LoggedLease | undefined>();
  for (const { namespace, id, created, lifetime, labels, keys } of readChanges(pathOf(database))) {
    if (typeof namespace !== "string" || typeof id !== "string") continue;
    const key = `${namespace}\0${id}`;
    if (created === undefined) leases.set(key, undefined);
    if (typeof created !== "number" || !isLabels(labels) || !isTexts(keys)) continue;
    const end = typeof lifetime === "number" ? { lifetime } : {};
    leases.set(key, { namespace, id, created, ...end, labels, keys });
  }
  return [...leases.values()].filter((lease) => lease !== undefined);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

function isLabels(value: unknown): value is Readonly<Record<string, string>> {
  return typeof value === "object" && value !== null && isTexts(Object.values(value));
}
