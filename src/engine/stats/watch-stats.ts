/** Figures of running containers, again and again. */
import type { EngineCore } from "../core.ts";
import type { ContainerRecord } from "../records.ts";
import { statsOf, takeSample, type ContainerStats, type Sample } from "./container-stats.ts";

export interface StatsOptions {
  /** Names or ids; all that run, and those that will, when undefined. */
  readonly containers?: readonly string[];
  /** Milliseconds between two samples, 1000 by default. */
  readonly interval?: number;
  readonly signal?: AbortSignal;
}

/** Until the second sample, which makes the first that has a rate. */
const firstInterval = 500;

/**
 * Yields the figures of all containers that run, of named ones until the last has ended. The first rates are there from the
 * first yield on, which takes half a second.
 *
 * @throws SampanError `not-found` at once for a name that there is none of
 */
export async function* watchStats(
  core: EngineCore,
  { containers, interval = 1000, signal }: StatsOptions,
): AsyncGenerator<readonly ContainerStats[], void, void> {
  const named = containers?.map((name) => core.records.find(name).id);
  const before = new Map<string, { readonly startedAt: number; readonly sample: Sample }>();
  for (let round = 0; ; round += 1) {
    if (signal?.aborted === true) return;
    const all: ContainerStats[] = [];
    for (const record of wanted(core, named)) {
      const state = core.runtime.state(record.id);
      if (state.status !== "running") {
        before.delete(record.id);
        continue;
      }
      const sample = takeSample(core.cgroups(record), state.pid, core.facts.hugepageSizes);
      const last = before.get(record.id);
      all.push(statsOf(record, sample, last?.startedAt === state.startedAt ? last.sample : undefined));
      before.set(record.id, { startedAt: state.startedAt, sample });
    }
    if (round > 0) yield all;
    if (named !== undefined && all.length === 0) return;
    await pause(round === 0 ? Math.min(firstInterval, interval) : interval, signal);
  }
}

function wanted(core: EngineCore, named: readonly string[] | undefined): readonly ContainerRecord[] {
  if (named === undefined) return core.records.list();
  // By id, so that a container that is renamed meanwhile is still meant; one that is removed is left out.
  return named.flatMap((id) => (core.records.has(id) ? [core.records.find(id)] : []));
}

async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener("abort", done);
    if (signal?.aborted === true) done();
  });
}
