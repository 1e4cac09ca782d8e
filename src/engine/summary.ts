/** A container in one line of a listing. */
import type { RuntimeState } from "#runtime";
import { containerStatus, type ContainerStatus } from "./inspect.ts";
import type { ContainerRecord } from "./records.ts";

export interface ContainerSummary {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly status: ContainerStatus;
  readonly state: RuntimeState;
}

export function summarize(record: ContainerRecord, state: RuntimeState): ContainerSummary {
  return {
    id: record.id,
    name: record.name,
    image: record.image,
    command: record.resolved.args,
    createdAt: record.createdAt,
    status: containerStatus(state),
    state,
  };
}
