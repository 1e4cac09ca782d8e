/** Other schemata for a running container (`update --l3-cache-schema`, `--mem-bw-schema`). */
import type { IntelRdtConfig } from "#spec";
import type { HostFacts } from "../host-facts.ts";
import type { Operation } from "../operation.gen.ts";
import type { Step } from "../plan.ts";
import { addMoves, intelRdtExit, placeOf } from "./intel-rdt.ts";
import { StepList } from "./step-list.ts";

export interface RdtUpdateOptions {
  /** `linux.intelRdt` of the container's config; undefined when it has none: it gets a class of its own now. */
  readonly config: IntelRdtConfig | undefined;
  readonly id: string;
  /** The container's threads, by their ids on the host; they are moved to a class that is made now. */
  readonly tasks: readonly number[];
}

/** Schemata of the same meaning as in {@link IntelRdtConfig}. */
export type RdtUpdate = Pick<IntelRdtConfig, "l3CacheSchema" | "memBwSchema">;

/**
 * @returns what is to be done, and what removes a class that is made by it
 * @throws SampanError `failed-precondition` when this host has no resctrl filesystem mounted
 */
export function planRdtUpdate(
  update: RdtUpdate,
  facts: HostFacts,
  { config, id, tasks }: RdtUpdateOptions,
): { readonly steps: readonly Step[]; readonly exit: readonly Operation[] } {
  const own: IntelRdtConfig = { schemata: [], enableMonitoring: false };
  const place = placeOf(config ?? own, id, facts);
  const lines = [update.l3CacheSchema, update.memBwSchema].filter((line) => line !== undefined);
  const list = new StepList();
  if (lines.length === 0) return { steps: [], exit: [] };
  if (config === undefined)
    list.add(
      { op: "host-directory", path: place.directory, mode: 0o755, uid: 0, gid: 0 },
      "The container had no share of the caches of its own",
    );
  list.add(
    { op: "write-file", path: `${place.directory}/schemata`, data: `${lines.join("\n")}\n`, tolerate: false },
    "How much of the caches and of the memory's bandwidth the container gets from now on",
    "runtime-spec config-linux.md#intelrdt",
  );
  if (config === undefined) addMoves(list, place, tasks);
  return { steps: list.steps, exit: config === undefined ? intelRdtExit(own, id, facts) : [] };
}
