import {
  malformed,
  optional,
  readInteger,
  readList,
  readNonEmpty,
  readObject,
  readOneOf,
  readString,
  readU64,
} from "./reader.ts";
import {
  seccompActions,
  seccompArchitectures,
  seccompFlagNames,
  seccompOperators,
  type SeccompAction,
  type SeccompArchitecture,
  type SeccompCondition,
  type SeccompFlag,
  type SeccompProfile,
  type SeccompRule,
} from "./seccomp-types.ts";

/** Most errno values that the kernel knows (MAX_ERRNO); it takes a greater one for this. */
const maxErrno = 4095;
/** A tracer gets 16 bits (SECCOMP_RET_DATA). */
const maxTrace = 0xffff;

export const readAction = (value: unknown, path: string): SeccompAction => readOneOf(value, path, seccompActions);
export const readArchitecture = (value: unknown, path: string): SeccompArchitecture =>
  readOneOf(value, path, seccompArchitectures);
const readFlag = (value: unknown, path: string): SeccompFlag => readOneOf(value, path, seccompFlagNames);

/** @param action that the value goes with: of all, only two have one */
export function readErrno(value: unknown, path: string, action: SeccompAction): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (action === "SCMP_ACT_ERRNO") return readInteger(value, path, 0, maxErrno);
  if (action === "SCMP_ACT_TRACE") return readInteger(value, path, 0, maxTrace);
  throw malformed(path, `must not be set, because ${action} has no errno`);
}

export function readSeccomp(value: unknown, path: string): SeccompProfile {
  const o = readObject(value, path);
  const defaultAction = readAction(o["defaultAction"], `${path}.defaultAction`);
  return {
    defaultAction,
    defaultErrnoRet: readErrno(o["defaultErrnoRet"], `${path}.defaultErrnoRet`, defaultAction),
    architectures: readList(o["architectures"], `${path}.architectures`, readArchitecture),
    flags: optional(o["flags"], `${path}.flags`, readFlags),
    ...readListener(o, `${path}.`),
    syscalls: readList(o["syscalls"], `${path}.syscalls`, readSeccompRule),
  };
}

export const readFlags = (value: unknown, path: string): readonly SeccompFlag[] => readList(value, path, readFlag);

/** @param prefix of the paths, e.g. `linux.seccomp.` */
export function readListener(
  o: Readonly<Record<string, unknown>>,
  prefix: string,
): Pick<SeccompProfile, "listenerPath" | "listenerMetadata"> {
  const listenerPath = optional(o["listenerPath"], `${prefix}listenerPath`, readString);
  const listenerMetadata = optional(o["listenerMetadata"], `${prefix}listenerMetadata`, readString);
  if ((listenerMetadata ?? "") !== "" && (listenerPath ?? "") === "")
    throw malformed(`${prefix}listenerMetadata`, "must not be set without listenerPath");
  return { listenerPath, listenerMetadata };
}

export function readSeccompRule(value: unknown, path: string): SeccompRule {
  const o = readObject(value, path);
  const name = optional(o["name"], `${path}.name`, readString);
  const names = readList(o["names"], `${path}.names`, readNonEmpty);
  // Docker's file format still knows the older `name` of a single call.
  const all = name === undefined || name === "" ? names : [name, ...names];
  if (all.length === 0) throw malformed(`${path}.names`, "must name a system call");
  const action = readAction(o["action"], `${path}.action`);
  return {
    names: all,
    action,
    errnoRet: readErrno(o["errnoRet"], `${path}.errnoRet`, action),
    args: readList(o["args"], `${path}.args`, readCondition),
  };
}

function readCondition(value: unknown, path: string): SeccompCondition {
  const o = readObject(value, path);
  return {
    index: readInteger(o["index"], `${path}.index`, 0, 5),
    value: readU64(o["value"], `${path}.value`),
    valueTwo: optional(o["valueTwo"], `${path}.valueTwo`, readU64) ?? 0n,
    op: readOneOf(o["op"], `${path}.op`, seccompOperators),
  };
}
