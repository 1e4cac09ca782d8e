/** Cache and memory bandwidth (`linux.intelRdt`): a group of the resctrl filesystem. */
import { failedPrecondition, invalidArgument } from "#errdefs";
import type { IntelRdtConfig } from "#spec";
import type { HostFacts } from "../host-facts.ts";
import type { Operation } from "../operation.gen.ts";
import type { StepList } from "./step-list.ts";

const source = "runtime-spec config-linux.md#intelrdt";

export interface RdtPlace {
  readonly directory: string;
  /** Of the kernel's monitoring for this container alone; undefined when it is not asked for. */
  readonly monitoring: string | undefined;
  readonly name: string;
}

/** @param id the container's: name of its class when the config has none, and of its monitoring group */
export function placeOf(config: IntelRdtConfig, id: string, facts: HostFacts): RdtPlace {
  if (facts.resctrl === undefined)
    throw failedPrecondition("Cannot apply linux.intelRdt: this host has no resctrl filesystem mounted", {
      remedy: "On a processor that has it: mount -t resctrl resctrl /sys/fs/resctrl",
    });
  if (id === "" || id.includes("/")) throw invalidArgument(`Cannot apply linux.intelRdt: "${id}" is no container's id`);
  const { mount } = facts.resctrl;
  const name = config.closID ?? id;
  const directory = name === "/" ? mount : `${mount}/${name}`;
  return { directory, name, monitoring: config.enableMonitoring ? `${directory}/mon_groups/${id}` : undefined };
}

/** Puts the executor into the group, for the container's process to be born in it; makes and sets the group before. */
export function addIntelRdt(list: StepList, config: IntelRdtConfig, id: string, facts: HostFacts): void {
  const place = placeOf(config, id, facts);
  const lines = [config.l3CacheSchema, config.memBwSchema, ...config.schemata].filter((line) => line !== undefined);
  const present = place.name === "/" ? facts.resctrl?.rootSchemata : facts.resctrl?.groups.get(place.name);
  if (config.closID !== undefined && present === undefined && lines.length === 0)
    throw failedPrecondition(`Cannot use class of service "${place.name}": it does not exist`, {
      remedy: `Make ${place.directory}, or say its schemata`,
    });
  if (present === undefined)
    list.add(
      { op: "host-directory", path: place.directory, mode: 0o755, uid: 0, gid: 0 },
      "The processor limits cache and memory bandwidth by groups of processes",
      source,
    );
  else if (config.closID !== undefined)
    for (const line of [config.l3CacheSchema, config.memBwSchema])
      if (line !== undefined && !hasSchema(present, line))
        throw failedPrecondition(`Cannot use class of service "${place.name}": its schemata are not "${line}"`, {
          remedy: `Other containers may use it as it is; see ${place.directory}/schemata`,
        });
  if (lines.length > 0)
    list.add(
      { op: "write-file", path: `${place.directory}/schemata`, data: `${lines.join("\n")}\n`, tolerate: false },
      "How much of the caches and of the memory's bandwidth the group gets",
      source,
    );
  if (place.monitoring !== undefined)
    list.add(
      { op: "host-directory", path: place.monitoring, mode: 0o755, uid: 0, gid: 0 },
      "The processor counts what this container uses",
      source,
    );
  addJoin(list, place);
}

/** Puts an exec'd process into the container's group. */
export function addIntelRdtJoin(list: StepList, config: IntelRdtConfig, id: string, facts: HostFacts): void {
  addJoin(list, placeOf(config, id, facts));
}

function addJoin(list: StepList, { directory, monitoring }: RdtPlace): void {
  // A monitoring group takes only what is in the class that it is part of.
  for (const path of monitoring === undefined ? [directory] : [directory, monitoring])
    list.add(
      { op: "write-file", path: `${path}/tasks`, data: "0", tolerate: false },
      "Processes are in the group of the process that makes them",
      source,
    );
}

/** Moves threads that are running. One that has ended meanwhile needs no place; those that it made are in its own. */
export function addMoves(list: StepList, { directory }: RdtPlace, tasks: readonly number[]): void {
  for (const task of tasks)
    list.add(
      { op: "write-file", path: `${directory}/tasks`, data: String(task), tolerate: false },
      "A thread of the container comes into the group",
      source,
    );
}

/** Only what was made for this container alone. */
export function intelRdtExit(config: IntelRdtConfig, id: string, facts: HostFacts): readonly Operation[] {
  const { directory, monitoring, name } = placeOf(config, id, facts);
  const own = config.closID === undefined && facts.resctrl?.groups.has(name) !== true ? [directory] : [];
  const paths = monitoring === undefined ? own : [monitoring, ...own];
  return paths.map((path) => ({ op: "remove-directory", path }));
}

/** Whether a `schemata` file says all that a line like `L3:0=7f0;1=1f` does: the same domains may come in any order. */
function hasSchema(schemata: string, line: string): boolean {
  const wanted = readSchema(line);
  return schemata
    .split("\n")
    .map(readSchema)
    .some(({ resource, values }) => {
      if (resource !== wanted.resource) return false;
      return [...wanted.values].every(([domain, value]) => values.get(domain) === value);
    });
}

function readSchema(line: string): { readonly resource: string; readonly values: ReadonlyMap<string, string> } {
  const [resource = "", rest = ""] = line.trim().split(":", 2);
  const pairs = rest.split(";").map((pair) => pair.split("=", 2).map((text) => text.trim().toLowerCase()));
  const plain = (text: string | undefined): string => (text ?? "").replace(/^0+(?=.)/, "");
  return { resource, values: new Map(pairs.map(([domain, value]) => [plain(domain), plain(value)])) };
}
