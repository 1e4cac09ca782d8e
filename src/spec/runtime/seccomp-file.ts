/** The file format of `--security-opt seccomp=FILE`: Docker's, of which the runtime-spec's profile is a subset. */
import { readAction, readArchitecture, readErrno, readFlags, readListener, readSeccompRule } from "./read-seccomp.ts";
import { malformed, optional, readList, readNonEmpty, readObject, readString, readStrings } from "./reader.ts";
import type { SeccompAction, SeccompArchitecture, SeccompFlag, SeccompRule } from "./seccomp-types.ts";

export interface SeccompFile {
  readonly defaultAction: SeccompAction;
  readonly defaultErrnoRet?: number | undefined;
  /** Empty when `archMap` says. */
  readonly architectures: readonly SeccompArchitecture[];
  /** Which further architectures go with a native one. It may name architectures that are not known here. */
  readonly archMap: readonly { readonly architecture: string; readonly subArchitectures: readonly string[] }[];
  readonly flags?: readonly SeccompFlag[] | undefined;
  readonly listenerPath?: string | undefined;
  readonly listenerMetadata?: string | undefined;
  readonly syscalls: readonly SeccompFileRule[];
}

/** A rule that holds when the container and host fit `includes`, and do not fit `excludes`. */
export interface SeccompFileRule extends SeccompRule {
  readonly includes: SeccompFilter;
  readonly excludes: SeccompFilter;
}

export interface SeccompFilter {
  /** Capabilities of the container; each of `includes`, any of `excludes`. */
  readonly caps: readonly string[];
  /** Names as Go has them, e.g. `amd64`. */
  readonly arches: readonly string[];
  /** Least Linux version. */
  readonly minKernel?: readonly [major: number, minor: number] | undefined;
}

/** Reads a profile file that JSON.parse gave. Throws like `parseRuntimeConfig`. */
export function parseSeccompFile(json: unknown): SeccompFile {
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw malformed("the seccomp profile", "must be an object");
  const o = readObject(json, "seccomp");
  const defaultAction = readAction(o["defaultAction"], "defaultAction");
  const file: SeccompFile = {
    defaultAction,
    defaultErrnoRet: readErrno(o["defaultErrnoRet"], "defaultErrnoRet", defaultAction),
    architectures: readList(o["architectures"], "architectures", readArchitecture),
    archMap: readList(o["archMap"], "archMap", (x, p) => {
      const entry = readObject(x, p);
      return {
        architecture: readNonEmpty(entry["architecture"], `${p}.architecture`),
        subArchitectures: readStrings(entry["subArchitectures"], `${p}.subArchitectures`),
      };
    }),
    flags: optional(o["flags"], "flags", readFlags),
    ...readListener(o, ""),
    syscalls: readList(o["syscalls"], "syscalls", readFileRule),
  };
  if (file.architectures.length > 0 && file.archMap.length > 0)
    throw malformed("archMap", "must not stand beside architectures");
  return file;
}

function readFileRule(value: unknown, path: string): SeccompFileRule {
  const o = readObject(value, path);
  return {
    ...readSeccompRule(value, path),
    includes: readFilter(o["includes"] ?? {}, `${path}.includes`),
    excludes: readFilter(o["excludes"] ?? {}, `${path}.excludes`),
  };
}

function readFilter(value: unknown, path: string): SeccompFilter {
  const o = readObject(value, path);
  return {
    caps: readStrings(o["caps"], `${path}.caps`),
    arches: readStrings(o["arches"], `${path}.arches`),
    minKernel: optional(o["minKernel"], `${path}.minKernel`, readKernel),
  };
}

function readKernel(value: unknown, path: string): readonly [number, number] | undefined {
  const text = readString(value, path);
  if (text === "") return undefined;
  const [, major, minor] = /^([0-9]{1,4})\.([0-9]{1,4})$/.exec(text) ?? [];
  if (major === undefined || minor === undefined) throw malformed(path, "must be a version such as 4.8");
  return [Number(major), Number(minor)];
}
