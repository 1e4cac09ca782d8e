import { invalidArgument, unsupported } from "#errdefs";
import type { MountParameter } from "../operation.gen.ts";
import { mountOption } from "../tables/mount-options.ts";

/** A mount's options, sorted by what the kernel does with them. */
export interface MountWords {
  readonly bind: boolean;
  readonly bindRecursive: boolean;
  readonly set: bigint;
  readonly clear: bigint;
  readonly setRecursive: bigint;
  readonly clearRecursive: bigint;
  /** MS_*, 0 when no option says. */
  readonly propagation: bigint;
  readonly propagationRecursive: boolean;
  /** What is the filesystem's own. */
  readonly parameters: readonly MountParameter[];
}

/** Later words win over earlier ones. */
export function readMountWords(options: readonly string[], destination: string): MountWords {
  let bind = false;
  let bindRecursive = false;
  let set = 0n;
  let clear = 0n;
  let setRecursive = 0n;
  let clearRecursive = 0n;
  let propagation = 0n;
  let propagationRecursive = false;
  const parameters: MountParameter[] = [];
  for (const word of options) {
    const option = mountOption(word);
    if (option === undefined) {
      if (word !== "") parameters.push(readParameter(word, destination));
      continue;
    }
    switch (option.kind) {
      case "attribute":
        if (option.recursive) {
          setRecursive = (setRecursive & ~option.clear) | option.set;
          clearRecursive = (clearRecursive & ~option.set) | option.clear;
        } else {
          set = (set & ~option.clear) | option.set;
          clear = (clear & ~option.set) | option.clear;
        }
        break;
      case "propagation":
        propagation = option.mode;
        propagationRecursive = option.recursive;
        break;
      case "bind":
        bind = true;
        bindRecursive = option.recursive;
        break;
      case "filesystem":
        parameters.push({ key: word, value: "" });
        break;
      case "nothing":
        break;
      case "unsupported":
        throw unsupported(`Cannot mount on "${destination}": option ${word} is not supported`);
    }
  }
  return {
    bind,
    bindRecursive,
    set,
    clear: withAccessTime(set, clear),
    setRecursive,
    clearRecursive: withAccessTime(setRecursive, clearRecursive),
    propagation,
    propagationRecursive,
    parameters,
  };
}

/** mount_setattr(2): the three ways to keep access times are one field, which is cleared as a whole to be set. */
function withAccessTime(set: bigint, clear: bigint): bigint {
  return (set & 0x70n) === 0n ? clear : clear | 0x70n;
}

function readParameter(word: string, destination: string): MountParameter {
  const equals = word.indexOf("=");
  const parameter =
    equals === -1 ? { key: word, value: "" } : { key: word.slice(0, equals), value: word.slice(equals + 1) };
  // fsconfig(2) takes strings of at most 256 bytes with their NUL; what is longer can only be an attack or an error.
  if (parameter.key === "" || parameter.key.length > 255 || parameter.value.length > 4095 || word.includes("\0"))
    throw invalidArgument(`Cannot mount on "${destination}": option "${word}" is malformed`);
  return parameter;
}
