import { invalidArgument } from "#errdefs";
import type { MountParameter } from "../operation.gen.ts";
import { mountOption, type MountSwitch } from "../tables/mount-options.ts";

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
  /** For the filesystem: its own, and flags that all have. */
  readonly parameters: readonly MountParameter[];
  /** The first word that is a filesystem's own, which a bind cannot have. */
  readonly own: string | undefined;
  readonly idMap: IdMapWord | undefined;
  readonly switches: ReadonlySet<MountSwitch>;
}

interface IdMapWord {
  readonly recursive: boolean;
  /** What crun takes behind `idmap=`, e.g. `uids=0-1-10#10-11-10;gids=0-100-10`; empty without. */
  readonly maps: string;
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
  let own: string | undefined;
  let idMap: IdMapWord | undefined;
  const parameters: MountParameter[] = [];
  const switches = new Set<MountSwitch>();
  for (const word of options) {
    const custom = /^(r?)idmap=(.+)$/s.exec(word);
    if (custom !== null) {
      idMap = { recursive: custom[1] === "r", maps: custom[2] ?? "" };
      continue;
    }
    const option = mountOption(word);
    if (option === undefined) {
      if (word === "") continue;
      parameters.push(readParameter(word, destination));
      own ??= word;
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
      case "id-map":
        idMap = { recursive: option.recursive, maps: "" };
        break;
      case "switch":
        switches.add(option.name);
        break;
      case "nothing":
        break;
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
    own,
    idMap,
    switches,
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
  // A key is a string of fsconfig(2), which has at most 256 bytes with its NUL; all options together are a page.
  if (parameter.key === "" || parameter.key.length > 255 || parameter.value.length > 4095 || word.includes("\0"))
    throw invalidArgument(`Cannot mount on "${destination}": option "${word}" is malformed`);
  return parameter;
}
