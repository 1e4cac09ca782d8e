import { readIntelRdt } from "./read-intel-rdt.ts";
import { readNetDevices } from "./read-net-devices.ts";
import { readResources } from "./read-resources.ts";
import { readMemoryPolicy, readPersonality } from "./read-scheduling.ts";
import { readSeccomp } from "./read-seccomp.ts";
import {
  malformed,
  optional,
  readI64,
  readInteger,
  readList,
  readMap,
  readNonEmpty,
  readObject,
  readOneOf,
  readString,
  readStrings,
  readU32,
} from "./reader.ts";
import type {
  DeviceConfig,
  IdMapping,
  LinuxConfig,
  NamespaceConfig,
  NamespaceType,
  RootfsPropagation,
  TimeOffset,
} from "./types.ts";

const namespaceTypes: readonly NamespaceType[] = ["pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time"];

const propagations: readonly RootfsPropagation[] = [
  "private",
  "rprivate",
  "slave",
  "rslave",
  "shared",
  "rshared",
  "unbindable",
  "runbindable",
];

export function readLinux(value: unknown, path: string): LinuxConfig {
  const o = readObject(value, path);
  return {
    namespaces: readNamespaces(o["namespaces"], `${path}.namespaces`),
    uidMappings: readList(o["uidMappings"], `${path}.uidMappings`, readIdMapping),
    gidMappings: readList(o["gidMappings"], `${path}.gidMappings`, readIdMapping),
    timeOffsets: readTimeOffsets(o["timeOffsets"], `${path}.timeOffsets`),
    devices: readList(o["devices"], `${path}.devices`, readDevice),
    resources: optional(o["resources"], `${path}.resources`, readResources),
    cgroupsPath: optional(o["cgroupsPath"], `${path}.cgroupsPath`, readString),
    sysctl: readMap(o["sysctl"], `${path}.sysctl`, readString),
    seccomp: optional(o["seccomp"], `${path}.seccomp`, readSeccomp),
    maskedPaths: readStrings(o["maskedPaths"], `${path}.maskedPaths`),
    readonlyPaths: readStrings(o["readonlyPaths"], `${path}.readonlyPaths`),
    rootfsPropagation: readPropagation(o["rootfsPropagation"], `${path}.rootfsPropagation`),
    mountLabel: optional(o["mountLabel"], `${path}.mountLabel`, readString),
    personality: optional(o["personality"], `${path}.personality`, readPersonality),
    memoryPolicy: optional(o["memoryPolicy"], `${path}.memoryPolicy`, readMemoryPolicy),
    intelRdt: optional(o["intelRdt"], `${path}.intelRdt`, readIntelRdt),
    netDevices: readNetDevices(o["netDevices"], `${path}.netDevices`),
  };
}

function readNamespaces(value: unknown, path: string): readonly NamespaceConfig[] {
  const seen = new Set<NamespaceType>();
  return readList(value, path, (x, p) => {
    const o = readObject(x, p);
    const type = readOneOf(o["type"], `${p}.type`, namespaceTypes);
    if (seen.has(type)) throw malformed(`${p}.type`, `must not name ${type} a second time`);
    seen.add(type);
    const file = optional(o["path"], `${p}.path`, readString);
    if (file !== undefined && file !== "" && !file.startsWith("/"))
      throw malformed(`${p}.path`, "must be an absolute path");
    return { type, path: file === "" ? undefined : file };
  });
}

export function readIdMapping(value: unknown, path: string): IdMapping {
  const o = readObject(value, path);
  const mapping = {
    containerID: readU32(o["containerID"], `${path}.containerID`),
    hostID: readU32(o["hostID"], `${path}.hostID`),
    size: readInteger(o["size"], `${path}.size`, 1, 0xffff_ffff),
  };
  // 2^32-1 is no id: it means "leave it" to chown and setresuid.
  if (Math.max(mapping.containerID, mapping.hostID) + mapping.size > 0xffff_ffff)
    throw malformed(path, "must end below id 2^32-1");
  return mapping;
}

function readTimeOffsets(value: unknown, path: string): ReadonlyMap<string, TimeOffset> {
  const offsets = readMap(value, path, (x, p) => {
    const o = readObject(x, p);
    return {
      secs: optional(o["secs"], `${p}.secs`, readI64) ?? 0n,
      nanosecs: optional(o["nanosecs"], `${p}.nanosecs`, (y, q) => readInteger(y, q, 0, 999_999_999)) ?? 0,
    };
  });
  for (const clock of offsets.keys())
    if (clock !== "monotonic" && clock !== "boottime")
      throw malformed(path, `must name monotonic or boottime, not ${JSON.stringify(clock)}`);
  return offsets;
}

function readDevice(value: unknown, path: string): DeviceConfig {
  const o = readObject(value, path);
  const type = readOneOf(o["type"], `${path}.type`, ["c", "b", "u", "p"]);
  const number = (name: string): number =>
    type === "p" ? 0 : readInteger(o[name], `${path}.${name}`, 0, name === "major" ? 0xfff : 0xf_ffff);
  return {
    path: readNonEmpty(o["path"], `${path}.path`),
    type,
    major: number("major"),
    minor: number("minor"),
    // Some writers put the file type into the mode.
    fileMode: optional(o["fileMode"], `${path}.fileMode`, (x, p) => readU32(x, p) & 0o7777),
    uid: optional(o["uid"], `${path}.uid`, readU32),
    gid: optional(o["gid"], `${path}.gid`, readU32),
  };
}

function readPropagation(value: unknown, path: string): RootfsPropagation | undefined {
  const text = optional(value, path, readString);
  if (text === undefined || text === "") return undefined;
  return readOneOf(text, path, propagations);
}
