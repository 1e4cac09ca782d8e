import {
  malformed,
  optional,
  readInteger,
  readList,
  readNonEmpty,
  readObject,
  readOneOf,
  readString,
  readStrings,
  readU64,
} from "./reader.ts";
import type { SeccompAction, SeccompCondition, SeccompOperator, SeccompProfile, SeccompRule } from "./seccomp-types.ts";

const actions: readonly SeccompAction[] = [
  "SCMP_ACT_KILL",
  "SCMP_ACT_KILL_PROCESS",
  "SCMP_ACT_KILL_THREAD",
  "SCMP_ACT_TRAP",
  "SCMP_ACT_ERRNO",
  "SCMP_ACT_TRACE",
  "SCMP_ACT_ALLOW",
  "SCMP_ACT_LOG",
  "SCMP_ACT_NOTIFY",
];

const operators: readonly SeccompOperator[] = [
  "SCMP_CMP_NE",
  "SCMP_CMP_LT",
  "SCMP_CMP_LE",
  "SCMP_CMP_EQ",
  "SCMP_CMP_GE",
  "SCMP_CMP_GT",
  "SCMP_CMP_MASKED_EQ",
];

/** The kernel keeps 16 bits of it (SECCOMP_RET_DATA), and takes at most MAX_ERRNO. */
export const readErrno = (value: unknown, path: string): number => readInteger(value, path, 0, 4095);
export const readAction = (value: unknown, path: string): SeccompAction => readOneOf(value, path, actions);

export function readSeccomp(value: unknown, path: string): SeccompProfile {
  const o = readObject(value, path);
  return {
    defaultAction: readAction(o["defaultAction"], `${path}.defaultAction`),
    defaultErrnoRet: optional(o["defaultErrnoRet"], `${path}.defaultErrnoRet`, readErrno),
    architectures: readStrings(o["architectures"], `${path}.architectures`),
    flags: readStrings(o["flags"], `${path}.flags`),
    listenerPath: optional(o["listenerPath"], `${path}.listenerPath`, readString),
    listenerMetadata: optional(o["listenerMetadata"], `${path}.listenerMetadata`, readString),
    syscalls: readList(o["syscalls"], `${path}.syscalls`, readSeccompRule),
  };
}

export function readSeccompRule(value: unknown, path: string): SeccompRule {
  const o = readObject(value, path);
  const name = optional(o["name"], `${path}.name`, readString);
  const names = readList(o["names"], `${path}.names`, readNonEmpty);
  // Docker's file format still knows the older `name` of a single call.
  const all = name === undefined || name === "" ? names : [name, ...names];
  if (all.length === 0) throw malformed(`${path}.names`, "must name a system call");
  return {
    names: all,
    action: readAction(o["action"], `${path}.action`),
    errnoRet: optional(o["errnoRet"], `${path}.errnoRet`, readErrno),
    args: readList(o["args"], `${path}.args`, readCondition),
  };
}

function readCondition(value: unknown, path: string): SeccompCondition {
  const o = readObject(value, path);
  return {
    index: readInteger(o["index"], `${path}.index`, 0, 5),
    value: readU64(o["value"], `${path}.value`),
    valueTwo: optional(o["valueTwo"], `${path}.valueTwo`, readU64) ?? 0n,
    op: readOneOf(o["op"], `${path}.op`, operators),
  };
}
