/** What PAX and GNU headers before an entry say about it. */
import { decodeName } from "#keel";
import { decimal, paxTime, type Time } from "./numbers.ts";
import type { PaxRecord } from "./pax.ts";
import { mapRecord, pairs, type Segment } from "./sparse.ts";
import { quote } from "./text.ts";

export interface Extended {
  readonly path?: Uint8Array;
  readonly linkpath?: Uint8Array;
  readonly size?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: Time;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
  readonly sparse?: PaxSparse;
}

interface PaxSparse {
  /** The map is at the start of the content (format 1.0). */
  readonly inContent: boolean;
  readonly segments: readonly Segment[];
  /** Bytes of the whole file, where it is said. */
  readonly size?: number;
  readonly name?: Uint8Array;
}

export const noExtended: Extended = { xattrs: new Map() };

const schily = "SCHILY.xattr.";
const libarchive = "LIBARCHIVE.xattr.";
const sparsePrefix = "GNU.sparse.";
/** What stands for one file only: in a global header it would make readers of one archive disagree on where entries are. */
const onlyLocal = (key: string): boolean =>
  key === "path" || key === "linkpath" || key === "size" || key.startsWith(sparsePrefix);

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const text = (value: Uint8Array): string =>
  Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("latin1");

/**
 * Reads the records of a header that stands before one entry, or with `global` before all that follow. An empty value
 * leaves what the entry's own header says. Returns what is wrong as a string.
 */
export function readRecords(records: readonly PaxRecord[], base: Extended, global: boolean): Extended | string {
  const result: Mutable<Extended> = { ...base };
  const xattrs = new Map(base.xattrs);
  const sparse = new Map<string, string>();
  const parts: string[] = [];
  let sparseName: Uint8Array | undefined;
  for (const { key, value } of records) {
    if (global && onlyLocal(key)) return `a global header sets ${quote(key)}, which is for one entry`;
    if (key.startsWith(schily)) {
      // GNU tar writes the two characters that a record cannot have in its key like this.
      const name = key.slice(schily.length).replace(/%3D/g, "=").replace(/%25/g, "%");
      xattrs.set(name, value);
    } else if (key.startsWith(libarchive)) {
      const name = percentDecoded(key.slice(libarchive.length));
      if (!xattrs.has(name)) xattrs.set(name, Buffer.from(text(value), "base64"));
    } else if (key === "GNU.sparse.name") sparseName = value;
    else if (key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes") parts.push(text(value));
    else if (key.startsWith(sparsePrefix)) sparse.set(key.slice(sparsePrefix.length), text(value));
    else if (value.length > 0) {
      const problem = setField(result, key, value);
      if (problem !== undefined) return problem;
    }
  }
  for (const name of xattrs.keys()) if (name === "" || name.includes("\0")) return "an extended attribute has no name";
  if (sparse.size > 0 || parts.length > 0) {
    const found = paxSparse(sparse, parts, sparseName);
    if (typeof found === "string") return found;
    if (found !== undefined) result.sparse = found;
  }
  return { ...result, xattrs };
}

function setField(into: Mutable<Extended>, key: string, value: Uint8Array): string | undefined {
  switch (key) {
    case "path":
    case "linkpath":
      if (value.includes(0)) return `the PAX record ${quote(key)} has a NUL in it`;
      into[key] = value;
      return undefined;
    case "size":
    case "uid":
    case "gid": {
      const number = decimal(text(value));
      if (number === undefined) return `the PAX record ${quote(key)} is not a number`;
      into[key] = number;
      return undefined;
    }
    case "mtime": {
      const time = paxTime(text(value));
      if (time === undefined) return 'the PAX record "mtime" is not a time';
      into.mtime = time;
      return undefined;
    }
    default:
      return undefined;
  }
}

/** GNU's three PAX formats: 0.0 repeats offset and numbytes, 0.1 has one record, 1.0 the map before the content. */
function paxSparse(
  records: ReadonlyMap<string, string>,
  parts: readonly string[],
  name: Uint8Array | undefined,
): PaxSparse | string | undefined {
  const version = `${records.get("major") ?? "0"}.${records.get("minor") ?? "0"}`;
  const sizeText = records.get("realsize") ?? records.get("size");
  const size = sizeText === undefined ? undefined : decimal(sizeText);
  if (sizeText !== undefined && size === undefined) return "its sparse size is not a number";
  const common = { ...(size === undefined ? {} : { size }), ...(name === undefined ? {} : { name }) };
  if (version === "1.0") return { inContent: true, segments: [], ...common };
  if (version !== "0.0" && version !== "0.1") return `its sparse format ${quote(version)} is not known`;
  const map = records.get("map");
  if (map === undefined && parts.length === 0) return undefined;
  const segments = map === undefined ? pairs(parts) : mapRecord(map);
  return segments === undefined ? "its sparse map is not a list of numbers" : { inContent: false, segments, ...common };
}

function percentDecoded(name: string): string {
  return name.includes("%")
    ? decodeName(
        Buffer.from(
          name.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(parseInt(String(hex), 16))),
          "latin1",
        ),
      )
    : name;
}
