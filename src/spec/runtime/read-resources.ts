import {
  malformed,
  optional,
  readBoolean,
  readI32,
  readI64,
  readInteger,
  readList,
  readMap,
  readNonEmpty,
  readObject,
  readOneOf,
  readString,
  readU16,
  readU32,
  readU64,
} from "./reader.ts";
import type {
  BlockIoResources,
  CpuResources,
  DeviceRule,
  HugepageLimit,
  MemoryResources,
  NetworkResources,
  RdmaLimit,
  Resources,
  ThrottleDevice,
  WeightDevice,
} from "./resource-types.ts";

/**
 * Reads resources that stand alone, as `update --resources` takes them: JSON of the spec's `linux.resources`.
 *
 * @throws SampanError `invalid-argument` that names the property
 */
export function parseResources(json: unknown): Resources {
  return readResources(json, "resources");
}

export function readResources(value: unknown, path: string): Resources {
  const o = readObject(value, path);
  return {
    devices: readList(o["devices"], `${path}.devices`, readDeviceRule),
    memory: optional(o["memory"], `${path}.memory`, readMemory),
    cpu: optional(o["cpu"], `${path}.cpu`, readCpu),
    pids: optional(o["pids"], `${path}.pids`, readPids),
    blockIO: optional(o["blockIO"], `${path}.blockIO`, readBlockIo),
    hugepageLimits: readList(o["hugepageLimits"], `${path}.hugepageLimits`, readHugepageLimit),
    network: optional(o["network"], `${path}.network`, readNetwork),
    rdma: readMap(o["rdma"], `${path}.rdma`, readRdma),
    unified: readMap(o["unified"], `${path}.unified`, readString),
  };
}

/** Missing, or -1 as runc takes it: all numbers. */
function readDeviceNumber(value: unknown, path: string): number | undefined {
  const number = optional(value, path, (x, p) => readInteger(x, p, -1, 0xffff_ffff));
  return number === -1 ? undefined : number;
}

function readDeviceRule(value: unknown, path: string): DeviceRule {
  const o = readObject(value, path);
  const access = optional(o["access"], `${path}.access`, readString) ?? "rwm";
  for (const letter of access)
    if (!"rwm".includes(letter)) throw malformed(`${path}.access`, "must be some of the letters r, w and m");
  return {
    allow: readBoolean(o["allow"], `${path}.allow`),
    type: o["type"] === "" ? "a" : (optional(o["type"], `${path}.type`, readDeviceType) ?? "a"),
    major: readDeviceNumber(o["major"], `${path}.major`),
    minor: readDeviceNumber(o["minor"], `${path}.minor`),
    access: ["r", "w", "m"].filter((letter) => access.includes(letter)).join("") || "rwm",
  };
}

/** `u` is an unbuffered character device. */
function readDeviceType(value: unknown, path: string): "a" | "c" | "b" {
  const type = readOneOf(value, path, ["a", "c", "u", "b"]);
  return type === "u" ? "c" : type;
}

function readMemory(value: unknown, path: string): MemoryResources {
  const o = readObject(value, path);
  return {
    limit: optional(o["limit"], `${path}.limit`, readI64),
    reservation: optional(o["reservation"], `${path}.reservation`, readI64),
    swap: optional(o["swap"], `${path}.swap`, readI64),
    kernel: optional(o["kernel"], `${path}.kernel`, readI64),
    kernelTCP: optional(o["kernelTCP"], `${path}.kernelTCP`, readI64),
    swappiness: optional(o["swappiness"], `${path}.swappiness`, (x, p) => readInteger(x, p, 0, 200)),
    disableOOMKiller: optional(o["disableOOMKiller"], `${path}.disableOOMKiller`, readBoolean),
    useHierarchy: optional(o["useHierarchy"], `${path}.useHierarchy`, readBoolean),
    checkBeforeUpdate: optional(o["checkBeforeUpdate"], `${path}.checkBeforeUpdate`, readBoolean),
  };
}

function readCpu(value: unknown, path: string): CpuResources {
  const o = readObject(value, path);
  return {
    shares: optional(o["shares"], `${path}.shares`, readU64),
    quota: optional(o["quota"], `${path}.quota`, readI64),
    period: optional(o["period"], `${path}.period`, readU64),
    burst: optional(o["burst"], `${path}.burst`, readU64),
    realtimeRuntime: optional(o["realtimeRuntime"], `${path}.realtimeRuntime`, readI64),
    realtimePeriod: optional(o["realtimePeriod"], `${path}.realtimePeriod`, readU64),
    cpus: optional(o["cpus"], `${path}.cpus`, readString),
    mems: optional(o["mems"], `${path}.mems`, readString),
    idle: optional(o["idle"], `${path}.idle`, readI32),
  };
}

function readPids(value: unknown, path: string): { readonly limit: bigint } | undefined {
  const limit = optional(readObject(value, path)["limit"], `${path}.limit`, readI64);
  return limit === undefined ? undefined : { limit };
}

function readBlockIo(value: unknown, path: string): BlockIoResources {
  const o = readObject(value, path);
  const throttle = (name: string): readonly ThrottleDevice[] => readList(o[name], `${path}.${name}`, readThrottle);
  return {
    weight: optional(o["weight"], `${path}.weight`, readU16),
    leafWeight: optional(o["leafWeight"], `${path}.leafWeight`, readU16),
    weightDevice: readList(o["weightDevice"], `${path}.weightDevice`, readWeightDevice),
    throttleReadBpsDevice: throttle("throttleReadBpsDevice"),
    throttleWriteBpsDevice: throttle("throttleWriteBpsDevice"),
    throttleReadIOPSDevice: throttle("throttleReadIOPSDevice"),
    throttleWriteIOPSDevice: throttle("throttleWriteIOPSDevice"),
  };
}

function readWeightDevice(value: unknown, path: string): WeightDevice {
  const o = readObject(value, path);
  return {
    major: readU32(o["major"], `${path}.major`),
    minor: readU32(o["minor"], `${path}.minor`),
    weight: optional(o["weight"], `${path}.weight`, readU16),
    leafWeight: optional(o["leafWeight"], `${path}.leafWeight`, readU16),
  };
}

function readThrottle(value: unknown, path: string): ThrottleDevice {
  const o = readObject(value, path);
  return {
    major: readU32(o["major"], `${path}.major`),
    minor: readU32(o["minor"], `${path}.minor`),
    rate: readU64(o["rate"], `${path}.rate`),
  };
}

function readHugepageLimit(value: unknown, path: string): HugepageLimit {
  const o = readObject(value, path);
  const pageSize = readNonEmpty(o["pageSize"], `${path}.pageSize`);
  if (!/^[1-9][0-9]{0,6}[KMG]B$/.test(pageSize)) throw malformed(`${path}.pageSize`, "must be a size such as 2MB");
  return { pageSize, limit: readU64(o["limit"], `${path}.limit`) };
}

function readNetwork(value: unknown, path: string): NetworkResources {
  const o = readObject(value, path);
  return {
    classID: optional(o["classID"], `${path}.classID`, readU32),
    priorities: readList(o["priorities"], `${path}.priorities`, (x, p) => {
      const priority = readObject(x, p);
      return {
        name: readNonEmpty(priority["name"], `${p}.name`),
        priority: readU32(priority["priority"], `${p}.priority`),
      };
    }),
  };
}

function readRdma(value: unknown, path: string): RdmaLimit {
  const o = readObject(value, path);
  return {
    hcaHandles: optional(o["hcaHandles"], `${path}.hcaHandles`, readU32),
    hcaObjects: optional(o["hcaObjects"], `${path}.hcaObjects`, readU32),
  };
}
