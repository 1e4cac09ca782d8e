/** The runtime-spec's JSON of a configuration, for other runtimes: what `parseRuntimeConfig` reads, the other way round. */
import type { LinuxConfig, MountConfig, ProcessConfig, RuntimeConfig } from "./types.ts";
import type { Resources } from "./resource-types.ts";

/** A version that all runtimes know; nothing of a later one is written unless the configuration has it. */
const version = "1.0.2";

/** The text of a config.json. */
export function writeRuntimeConfig(config: RuntimeConfig): string {
  return toJson({
    ociVersion: version,
    root: config.root,
    process: config.process === undefined ? undefined : processObject(config.process),
    hostname: config.hostname,
    domainname: config.domainname === "" ? undefined : config.domainname,
    mounts: config.mounts.map(mountObject),
    hooks: Object.values(config.hooks).some((list: readonly unknown[]) => list.length > 0) ? config.hooks : undefined,
    annotations: config.annotations,
    linux: linuxObject(config.linux),
  });
}

/** The text of a process, for `exec --process`. */
export function writeProcess(process: ProcessConfig): string {
  return toJson(processObject(process));
}

function processObject(process: ProcessConfig): unknown {
  const { execCPUAffinity: affinity, rlimits, ...others } = process;
  const words = (numbers: readonly number[]): string | undefined =>
    numbers.length > 0 ? numbers.join(",") : undefined;
  return {
    ...others,
    rlimits: rlimits.length > 0 ? rlimits : undefined,
    ...(affinity !== undefined && {
      execCPUAffinity: { initial: words(affinity.initial), final: words(affinity.final) },
    }),
  };
}

function mountObject({ uidMappings, gidMappings, ...mount }: MountConfig): unknown {
  return { ...mount, ...mappings(uidMappings, gidMappings) };
}

function mappings(uidMappings: readonly unknown[], gidMappings: readonly unknown[]): object {
  return {
    ...(uidMappings.length > 0 && { uidMappings }),
    ...(gidMappings.length > 0 && { gidMappings }),
  };
}

function linuxObject(linux: LinuxConfig): unknown {
  const { landlock: _, memoryPolicy, uidMappings, gidMappings, timeOffsets, resources, ...others } = linux;
  return {
    ...others,
    ...mappings(uidMappings, gidMappings),
    timeOffsets: timeOffsets.size > 0 ? timeOffsets : undefined,
    resources: resources === undefined ? undefined : resourcesObject(resources),
    memoryPolicy: memoryPolicy === undefined ? undefined : { ...memoryPolicy, nodes: memoryPolicy.nodes.join(",") },
  };
}

/** Lists of limits that are empty are left out: some runtimes take them for limits. */
function resourcesObject({ blockIO, hugepageLimits, rdma, unified, ...others }: Resources): unknown {
  return {
    ...others,
    blockIO:
      blockIO === undefined
        ? undefined
        : Object.fromEntries(Object.entries(blockIO).filter(([, v]) => !Array.isArray(v) || v.length > 0)),
    hugepageLimits: hugepageLimits.length > 0 ? hugepageLimits : undefined,
    rdma: rdma.size > 0 ? rdma : undefined,
    unified: unified.size > 0 ? unified : undefined,
  };
}

/** JSON in which a bigint is a number with all of its digits, and a map an object. What is undefined is left out. */
function toJson(value: unknown): string {
  if (typeof value === "bigint") return String(value);
  if (value instanceof Map) return toJson(Object.fromEntries(value));
  if (Array.isArray(value)) return `[${value.map((item) => toJson(item)).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const parts = Object.entries(value).flatMap(([key, item]) =>
    item === undefined ? [] : [`${JSON.stringify(key)}:${toJson(item)}`],
  );
  return `{${parts.join(",")}}`;
}
