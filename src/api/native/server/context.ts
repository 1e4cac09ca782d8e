import type { Engine } from "#engine";

/** What the services work on. */
export interface ApiContext {
  readonly engine: Engine;
  /** Of Sampan. */
  readonly version: string;
  /** When the daemon started, in milliseconds since the epoch. */
  readonly startedAt: number;
  readonly root: string;
  readonly state: string;
}
