/** The options of update, as resources of the runtime-spec. */
import { invalidArgument } from "#errdefs";
import { readConfigFile } from "#runtime";
import { parseIntelRdt, parseJson, parseResources, type IntelRdtConfig, type Resources } from "#spec";
import type { OptionDefinitions, OptionValues } from "../command.ts";

export const updateOptions = {
  resources: { type: "string", short: "r", value: "FILE|-", help: "resources of the runtime-spec, as JSON" },
  "blkio-weight": { type: "string", value: "N", help: "share of block I/O, 10 to 1000" },
  "cpu-period": { type: "string", value: "MICROSECONDS", help: "length of a period of the CPU limit" },
  "cpu-quota": { type: "string", value: "MICROSECONDS", help: "CPU time in each period, -1 for no limit" },
  "cpu-burst": { type: "string", value: "MICROSECONDS", help: "unused CPU time that may be made up for" },
  "cpu-share": { type: "string", value: "N", help: "share of CPU time beside others" },
  "cpu-rt-period": { type: "string", value: "MICROSECONDS", help: "length of a real-time period" },
  "cpu-rt-runtime": { type: "string", value: "MICROSECONDS", help: "real-time CPU time in each period" },
  "cpuset-cpus": { type: "string", value: "LIST", help: "processors, e.g. 0-2,4" },
  "cpuset-mems": { type: "string", value: "LIST", help: "memory nodes" },
  "cpu-idle": { type: "string", value: "0|1", help: "run only when nobody else does" },
  memory: { type: "string", value: "BYTES", help: "memory, e.g. 512m; -1 for no limit" },
  "memory-reservation": { type: "string", value: "BYTES", help: "memory that is left to it when it is short" },
  "memory-swap": { type: "string", value: "BYTES", help: "memory and swap together; -1 for no limit" },
  "kernel-memory": { type: "string", value: "BYTES", help: "does nothing: obsolete" },
  "kernel-memory-tcp": { type: "string", value: "BYTES", help: "does nothing: obsolete" },
  "pids-limit": { type: "string", value: "N", help: "processes and threads, -1 for no limit" },
  "l3-cache-schema": { type: "string", value: "SCHEMA", help: "Intel RDT: share of the cache" },
  "mem-bw-schema": { type: "string", value: "SCHEMA", help: "Intel RDT: memory bandwidth" },
} as const satisfies OptionDefinitions;

type Values = OptionValues<typeof updateOptions>;

const units: ReadonlyMap<string, bigint> = new Map([
  ["", 1n],
  ["b", 1n],
  ["k", 1n << 10n],
  ["m", 1n << 20n],
  ["g", 1n << 30n],
  ["t", 1n << 40n],
  ["p", 1n << 50n],
]);

function bytes(text: string | undefined, option: string): bigint | undefined {
  if (text === undefined) return undefined;
  if (text === "-1") return -1n;
  const found = /^(\d{1,19})([bkmgtp]?)(?:i?b)?$/i.exec(text);
  const unit = units.get(found?.[2]?.toLowerCase() ?? "?");
  if (found === null || unit === undefined)
    throw invalidArgument(`Cannot parse --${option} "${text}": it is no size like 512m or 1g`);
  return BigInt(found[1] ?? "0") * unit;
}

function integer(text: string | undefined, option: string): bigint | undefined {
  if (text === undefined) return undefined;
  if (!/^-?\d{1,19}$/.test(text)) throw invalidArgument(`Cannot parse --${option} "${text}": it is no integer`);
  return BigInt(text);
}

/** Exact JSON numbers of what bigint holds, as the parser takes them. */
const number = (value: bigint | undefined): bigint | number | undefined =>
  value === undefined || value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER)
    ? value
    : Number(value);

/** @throws SampanError `invalid-argument` that names the option or the property of the file */
export function readUpdate(values: Values, warn: (text: string) => void): Resources {
  for (const option of ["kernel-memory", "kernel-memory-tcp"] as const)
    if (values[option] !== undefined) warn(`--${option} is obsolete and does nothing`);
  if (values.resources !== undefined) return parseResources(parseJson(readConfigFile(values.resources)));
  const whole = (option: keyof Values): bigint | number | undefined => number(integer(values[option], option));
  const size = (option: keyof Values): bigint | number | undefined => number(bytes(values[option], option));
  const cpu = {
    shares: whole("cpu-share"),
    quota: whole("cpu-quota"),
    burst: whole("cpu-burst"),
    period: whole("cpu-period"),
    realtimeRuntime: whole("cpu-rt-runtime"),
    realtimePeriod: whole("cpu-rt-period"),
    cpus: values["cpuset-cpus"],
    mems: values["cpuset-mems"],
    idle: whole("cpu-idle"),
  };
  const memory = { limit: size("memory"), reservation: size("memory-reservation"), swap: size("memory-swap") };
  return parseResources({
    ...(isGiven(cpu) && { cpu }),
    ...(isGiven(memory) && { memory }),
    ...(values["pids-limit"] !== undefined && { pids: { limit: whole("pids-limit") } }),
    ...(values["blkio-weight"] !== undefined && { blockIO: { weight: whole("blkio-weight") } }),
  });
}

/** The options of Intel RDT, which the resources of the runtime-spec do not have. */
export function readRdtUpdate(values: Values): Pick<IntelRdtConfig, "l3CacheSchema" | "memBwSchema"> {
  const given = { l3CacheSchema: values["l3-cache-schema"], memBwSchema: values["mem-bw-schema"] };
  const { l3CacheSchema, memBwSchema } = parseIntelRdt(given, "intelRdt");
  return { l3CacheSchema, memBwSchema };
}

const isGiven = (group: object): boolean => Object.values(group).some((value) => value !== undefined);
