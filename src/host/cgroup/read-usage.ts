/** What a group uses, in as few reads as that takes: it is asked for of every container and pod, again and again. */
import { parseNumber, parseTable, readText, unlimited, type ReadText } from "./files.ts";
import { parsePressure } from "./parse-stats.ts";
import type { Pressure } from "./stats-types.ts";

/** Bytes, but for counts. Undefined where the kernel or the group has no such figure. */
export interface GroupUsage {
  /** Nanoseconds. */
  readonly cpu: bigint | undefined;
  readonly memory: GroupMemory | undefined;
  /** Beside the memory. The limit is undefined where there is none. */
  readonly swap: { readonly usage: bigint; readonly limit: bigint | undefined } | undefined;
  readonly processes: bigint | undefined;
  readonly pressure: {
    readonly cpu: Pressure | undefined;
    readonly memory: Pressure | undefined;
    readonly io: Pressure | undefined;
  };
}

export interface GroupMemory {
  readonly usage: bigint;
  /** Undefined where there is none. */
  readonly limit: bigint | undefined;
  /** Without what was read from files once and could be given back at once. */
  readonly workingSet: bigint;
  /** Of no file. */
  readonly rss: bigint;
  readonly pageFaults: bigint;
  readonly majorPageFaults: bigint;
}

/** v1 has no limit as the largest number of whole pages. */
const v1Unlimited = 2n ** 63n - 65_536n;

/** @param paths controller → the group's directory; on v2 also the empty name */
export function readGroupUsage(paths: ReadonlyMap<string, string>, read: ReadText = readText): GroupUsage {
  const text = (controller: string, file: string): string | undefined => {
    const directory = paths.get(controller);
    return directory === undefined ? undefined : read(`${directory}/${file}`);
  };
  const number = (controller: string, file: string): bigint | undefined => parseNumber(text(controller, file));
  return paths.has("") ? version2(text, number) : version1(text, number);
}

type Text = (controller: string, file: string) => string | undefined;
type Figure = (controller: string, file: string) => bigint | undefined;

function version1(text: Text, number: Figure): GroupUsage {
  const usage = number("memory", "memory.usage_in_bytes");
  const both = number("memory", "memory.memsw.usage_in_bytes");
  const limit = limited(number("memory", "memory.limit_in_bytes"), v1Unlimited);
  const bothLimit = limited(number("memory", "memory.memsw.limit_in_bytes"), v1Unlimited);
  return {
    cpu: number("cpuacct", "cpuacct.usage"),
    memory: usage === undefined ? undefined : memory(usage, limit, parseTable(text("memory", "memory.stat")), "total_"),
    swap:
      usage === undefined || both === undefined
        ? undefined
        : {
            usage: difference(both, usage),
            limit: bothLimit === undefined || limit === undefined ? undefined : difference(bothLimit, limit),
          },
    processes: number("pids", "pids.current"),
    pressure: { cpu: undefined, memory: undefined, io: undefined },
  };
}

function version2(text: Text, number: Figure): GroupUsage {
  const usage = number("memory", "memory.current");
  const swap = number("memory", "memory.swap.current");
  const microseconds = parseTable(text("", "cpu.stat")).get("usage_usec");
  return {
    cpu: microseconds === undefined ? undefined : microseconds * 1000n,
    memory:
      usage === undefined
        ? undefined
        : memory(
            usage,
            limited(number("memory", "memory.max"), unlimited),
            parseTable(text("memory", "memory.stat")),
            "",
          ),
    swap:
      swap === undefined ? undefined : { usage: swap, limit: limited(number("memory", "memory.swap.max"), unlimited) },
    processes: number("pids", "pids.current"),
    pressure: {
      cpu: parsePressure(text("", "cpu.pressure")),
      memory: parsePressure(text("", "memory.pressure")),
      io: parsePressure(text("", "io.pressure")),
    },
  };
}

/** @param prefix v1 counts with it what is in groups below, too */
function memory(
  usage: bigint,
  limit: bigint | undefined,
  stat: ReadonlyMap<string, bigint>,
  prefix: "" | "total_",
): GroupMemory {
  const figure = (name: string): bigint => stat.get(prefix + name) ?? 0n;
  return {
    usage,
    limit,
    workingSet: difference(usage, figure("inactive_file")),
    rss: figure(prefix === "" ? "anon" : "rss"),
    pageFaults: figure("pgfault"),
    majorPageFaults: figure("pgmajfault"),
  };
}

const difference = (a: bigint, b: bigint): bigint => (a > b ? a - b : 0n);

const limited = (limit: bigint | undefined, none: bigint): bigint | undefined =>
  limit === undefined || limit >= none ? undefined : limit;
