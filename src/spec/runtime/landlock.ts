/**
 * Landlock for containers, as the annotation {@link landlockAnnotation} until the runtime-spec has a property for it
 * (opencontainers/runtime-spec pull requests #1111 and #1241 propose one). Its value is JSON, and names rights as the kernel does,
 * in lower case and without prefix (landlock(7)):
 *
 *     {
 *       "handledAccessFS": ["write_file", "make_reg", "make_dir", "remove_file", "truncate"],
 *       "handledAccessNet": ["connect_tcp"],
 *       "scoped": ["abstract_unix_socket", "signal"],
 *       "rules": {
 *         "pathBeneath": [{ "allowedAccess": ["write_file", "make_reg"], "paths": ["/tmp"] }],
 *         "netPort": [{ "allowedAccess": ["connect_tcp"], "ports": [443] }]
 *       },
 *       "bestEffort": false
 *     }
 *
 * What is handled is denied, but where a rule allows it; what is not handled stays allowed. A rule for a directory holds
 * for all below it. Paths are absolute paths of the container, which must exist when it starts; of a path that is a file,
 * only the rights of files count. The rules hold for the container's processes and for those of `exec`, from just before
 * the program runs, so that the program itself must be among what may be read and executed. With `bestEffort`, what the
 * kernel does not have is left out; otherwise such a container does not start. A process needs noNewPrivileges or
 * CAP_SYS_ADMIN to be restricted; the container's own capabilities do not matter, as Sampan restricts it before they go.
 *
 * A property that is not known is an error, and not ignored: a restriction must not be lost by a misspelling.
 */
import type { LandlockConfig } from "./landlock-types.ts";
import { landlockFileRights, landlockNetworkRights, landlockScopes } from "./landlock-types.ts";
import {
  malformed,
  optional,
  readBoolean,
  readInteger,
  readList,
  readNonEmpty,
  readObject,
  readOneOf,
  readString,
  type JsonObject,
} from "./reader.ts";

const landlockAnnotation = "org.sampan.landlock";

/** Reads the annotation, undefined when there is none. Errors name the path in its JSON. */
export function readLandlock(annotations: ReadonlyMap<string, string>): LandlockConfig | undefined {
  const text = annotations.get(landlockAnnotation);
  if (text === undefined) return undefined;
  const path = `annotations["${landlockAnnotation}"]`;
  const o = readKnown(parse(text, path), path, [
    "handledAccessFS",
    "handledAccessNet",
    "scoped",
    "rules",
    "bestEffort",
  ]);
  const handledFiles = readRights(o["handledAccessFS"], `${path}.handledAccessFS`, landlockFileRights);
  const handledNetwork = readRights(o["handledAccessNet"], `${path}.handledAccessNet`, landlockNetworkRights);
  const scoped = readRights(o["scoped"], `${path}.scoped`, landlockScopes);
  if (handledFiles.length + handledNetwork.length + scoped.length === 0)
    throw malformed(path, "must restrict something: handledAccessFS, handledAccessNet and scoped are empty");
  const rules = readKnown(o["rules"] ?? {}, `${path}.rules`, ["pathBeneath", "netPort"]);
  return {
    handledFiles,
    handledNetwork,
    scoped,
    paths: readList(rules["pathBeneath"], `${path}.rules.pathBeneath`, (x, p) => {
      const rule = readKnown(x, p, ["allowedAccess", "paths"]);
      return {
        access: readAllowed(rule["allowedAccess"], `${p}.allowedAccess`, handledFiles, "handledAccessFS"),
        paths: readFilled(rule["paths"], `${p}.paths`, readAbsolute),
      };
    }),
    ports: readList(rules["netPort"], `${path}.rules.netPort`, (x, p) => {
      const rule = readKnown(x, p, ["allowedAccess", "ports"]);
      return {
        access: readAllowed(rule["allowedAccess"], `${p}.allowedAccess`, handledNetwork, "handledAccessNet"),
        ports: readFilled(rule["ports"], `${p}.ports`, (y, q) => readInteger(y, q, 0, 65_535)),
      };
    }),
    bestEffort: optional(o["bestEffort"], `${path}.bestEffort`, readBoolean) ?? false,
  };
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw malformed(path, "must be JSON");
  }
}

function readKnown(value: unknown, path: string, names: readonly string[]): JsonObject {
  const o = readObject(value, path);
  for (const name of Object.keys(o))
    if (!names.includes(name)) throw malformed(path, `must not have ${JSON.stringify(name)}, only ${names.join(", ")}`);
  return o;
}

const readRights = <T extends string>(value: unknown, path: string, rights: readonly T[]): readonly T[] =>
  readList(value, path, (x, p) => readOneOf(x, p, rights));

function readFilled<T>(value: unknown, path: string, item: (value: unknown, path: string) => T): readonly T[] {
  const list = readList(value, path, item);
  if (list.length === 0) throw malformed(path, "must not be empty");
  return list;
}

/** The kernel refuses a rule that allows what is not denied anyway, as a likely mistake. */
const readAllowed = <T extends string>(value: unknown, path: string, handled: readonly T[], where: string) =>
  readFilled(value, path, (x, p) => {
    const right = handled.find((name) => name === x);
    if (right === undefined)
      throw malformed(p, `must be one of ${where}: ${handled.length === 0 ? "it is empty" : handled.join(", ")}`);
    return right;
  });

function readAbsolute(value: unknown, path: string): string {
  const text = readNonEmpty(readString(value, path), path);
  if (!text.startsWith("/")) throw malformed(path, "must be an absolute path");
  return text;
}
