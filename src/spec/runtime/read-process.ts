import {
  malformed,
  optional,
  readBoolean,
  readI32,
  readInteger,
  readList,
  readNonEmpty,
  readObject,
  readString,
  readStrings,
  readU16,
  readU32,
  readU64,
} from "./reader.ts";
import { readCpuAffinity, readIoPriority, readScheduler } from "./read-scheduling.ts";
import type { CapabilitySets, ProcessConfig, RlimitConfig, UserConfig } from "./types.ts";

export function readProcess(value: unknown, path: string): ProcessConfig {
  const o = readObject(value, path);
  const cwd = readNonEmpty(o["cwd"], `${path}.cwd`);
  if (!cwd.startsWith("/")) throw malformed(`${path}.cwd`, "must be an absolute path");
  return {
    terminal: optional(o["terminal"], `${path}.terminal`, readBoolean) ?? false,
    consoleSize: optional(o["consoleSize"], `${path}.consoleSize`, (x, p) => {
      const size = readObject(x, p);
      return { width: readU16(size["width"], `${p}.width`), height: readU16(size["height"], `${p}.height`) };
    }),
    user: readUser(o["user"] ?? {}, `${path}.user`),
    args: readStrings(o["args"], `${path}.args`),
    env: readStrings(o["env"], `${path}.env`),
    cwd,
    capabilities: optional(o["capabilities"], `${path}.capabilities`, readCapabilities),
    rlimits: readRlimits(o["rlimits"], `${path}.rlimits`),
    noNewPrivileges: optional(o["noNewPrivileges"], `${path}.noNewPrivileges`, readBoolean) ?? false,
    oomScoreAdj: optional(o["oomScoreAdj"], `${path}.oomScoreAdj`, (x, p) => readInteger(x, p, -1000, 1000)),
    scheduler: optional(o["scheduler"], `${path}.scheduler`, readScheduler),
    ioPriority: optional(o["ioPriority"], `${path}.ioPriority`, readIoPriority),
    execCPUAffinity: optional(o["execCPUAffinity"], `${path}.execCPUAffinity`, readCpuAffinity),
    apparmorProfile: optional(o["apparmorProfile"], `${path}.apparmorProfile`, readString),
    selinuxLabel: optional(o["selinuxLabel"], `${path}.selinuxLabel`, readString),
  };
}

function readUser(value: unknown, path: string): UserConfig {
  const o = readObject(value, path);
  return {
    uid: optional(o["uid"], `${path}.uid`, readU32) ?? 0,
    gid: optional(o["gid"], `${path}.gid`, readU32) ?? 0,
    umask: optional(o["umask"], `${path}.umask`, (x, p) => readInteger(x, p, 0, 0o777)),
    additionalGids: readList(o["additionalGids"], `${path}.additionalGids`, readU32),
  };
}

/** A name that no kernel may have is no error, as the planner warns of it; what is no such name at all is one. */
function readCapability(value: unknown, path: string): string {
  const name = readString(value, path);
  if (!/^CAP_[A-Z0-9_]{1,64}$/.test(name)) throw malformed(path, "must be a name such as CAP_CHOWN");
  return name;
}

function readCapabilities(value: unknown, path: string): CapabilitySets {
  const o = readObject(value, path);
  const set = (name: string): readonly string[] => readList(o[name], `${path}.${name}`, readCapability);
  return {
    bounding: set("bounding"),
    effective: set("effective"),
    inheritable: set("inheritable"),
    permitted: set("permitted"),
    ambient: set("ambient"),
  };
}

function readRlimits(value: unknown, path: string): readonly RlimitConfig[] {
  const seen = new Set<string>();
  return readList(value, path, (x, p) => {
    const o = readObject(x, p);
    const type = readNonEmpty(o["type"], `${p}.type`);
    if (seen.has(type)) throw malformed(`${p}.type`, `must not name ${type} a second time`);
    seen.add(type);
    const limit = { type, soft: readU64(o["soft"], `${p}.soft`), hard: readU64(o["hard"], `${p}.hard`) };
    if (limit.soft > limit.hard) throw malformed(`${p}.soft`, "must not be above hard");
    return limit;
  });
}

/** Seconds of a hook; the spec wants more than zero. */
export const readTimeout = (value: unknown, path: string): number => {
  const seconds = readI32(value, path);
  if (seconds <= 0) throw malformed(path, "must be more than 0");
  return seconds;
};
