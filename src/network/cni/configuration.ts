/** Configuration lists of CNI networks, as in `/etc/cni/net.d` (CNI 1.1, section 1). Pure. */
import type { SampanError } from "#errdefs";
import { CniReader, isMissing, type JsonObject } from "./reader.ts";
import { cniVersions, latestCommon, type CniVersion } from "./version.ts";

export interface CniPlugin {
  /** Name of its program. */
  readonly type: string;
  /** What it takes in `runtimeConfig`. */
  readonly capabilities: readonly string[];
  /** Its configuration, as it is written. */
  readonly raw: JsonObject;
}

export interface CniList {
  readonly name: string;
  /** Spoken with its plugins: the latest of its `cniVersion` and `cniVersions` that we know. */
  readonly version: CniVersion;
  /** All those that it may be spoken with, ascending. */
  readonly versions: readonly CniVersion[];
  readonly disableCheck: boolean;
  readonly disableGC: boolean;
  /** Nothing is added from `NAME/*.conf` beside it. */
  readonly loadOnlyInlinedPlugins: boolean;
  readonly plugins: readonly CniPlugin[];
  /** The file. */
  readonly path: string;
}

const mostPlugins = 64;
const mostVersions = 64;
const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;

const readerOf = (path: string): CniReader => new CniReader(`CNI configuration "${path}"`, path);

function readName(reader: CniReader, value: unknown): string {
  const name = reader.string(value, "name");
  if (!namePattern.test(name))
    throw reader.error(
      "name",
      `is "${name.slice(0, 130)}", must be at most 128 letters, digits, "_", "." and "-", the first a letter or a digit`,
    );
  return name;
}

function readVersions(reader: CniReader, object: JsonObject): readonly CniVersion[] {
  const one = reader.text(object["cniVersion"], "cniVersion");
  const several = reader.list(object["cniVersions"], "cniVersions", mostVersions, (value, at) =>
    reader.string(value, at),
  );
  const all = [...(one === undefined ? [] : [one]), ...several];
  for (const [index, text] of all.entries())
    if (!/^\d{1,4}\.\d{1,4}\.\d{1,4}$/.test(text)) {
      const at =
        one !== undefined && index === 0 ? "cniVersion" : `cniVersions[${index - (one === undefined ? 0 : 1)}]`;
      throw reader.error(at, `is "${text.slice(0, 40)}", must be a version such as ${cniVersions.at(-1)}`);
    }
  if (all.length === 0) throw reader.error("cniVersion", `is missing, must be one of ${cniVersions.join(", ")}`);
  if (latestCommon(all) === undefined)
    throw reader.error(
      one === undefined ? "cniVersions" : "cniVersion",
      `is ${all.join(", ").slice(0, 100)}, must be one of ${cniVersions.join(", ")}`,
    );
  return cniVersions.filter((version) => all.includes(version));
}

function readPlugin(reader: CniReader, value: unknown, at: string): CniPlugin {
  const raw = reader.object(value, at);
  const inside = (name: string): string => (at === "" ? name : `${at}.${name}`);
  const type = reader.string(raw["type"], inside("type"));
  // It is looked for in directories of plugins, and nowhere else.
  if (!/^[^/\s]{1,128}$/.test(type) || type === "." || type === "..")
    throw reader.error(inside("type"), `is "${type.slice(0, 130)}", must be a program's name without "/"`);
  const capabilities = isMissing(raw["capabilities"]) ? {} : reader.object(raw["capabilities"], inside("capabilities"));
  const wanted = Object.entries(capabilities).filter(([name, on]) =>
    reader.boolean(on, `${inside("capabilities")}.${name}`),
  );
  return { type, capabilities: wanted.map(([name]) => name), raw };
}

/**
 * Reads a configuration list, or the configuration of a single plugin, which is a list of one.
 *
 * @param text the file's content
 * @param path names the file in errors; one that ends in `.conflist` must be a list
 * @throws SampanError `failed-precondition` with the place in `fields.config`
 */
export function parseCniList(text: string, path: string): CniList {
  const reader = readerOf(path);
  const object = reader.parse(text);
  const versions = readVersions(reader, object);
  const name = readName(reader, object["name"]);
  const isList = path.endsWith(".conflist") || !isMissing(object["plugins"]);
  const loadOnlyInlinedPlugins = reader.boolean(object["loadOnlyInlinedPlugins"], "loadOnlyInlinedPlugins");
  const plugins = isList
    ? reader.list(object["plugins"], "plugins", mostPlugins, (value, at) => readPlugin(reader, value, at))
    : [readPlugin(reader, object, "")];
  if (plugins.length === 0 && loadOnlyInlinedPlugins)
    throw reader.error("plugins", "is empty, must have a plugin where loadOnlyInlinedPlugins is true");
  return {
    name,
    versions,
    version: versions.at(-1) ?? "1.1.0",
    disableCheck: reader.boolean(object["disableCheck"], "disableCheck"),
    disableGC: reader.boolean(object["disableGC"], "disableGC"),
    // One plugin is all that such a file is for.
    loadOnlyInlinedPlugins: loadOnlyInlinedPlugins || !isList,
    plugins,
    path,
  };
}

/** Reads a plugin that is added to a list from a file of its own. */
export function parseCniPlugin(text: string, path: string): CniPlugin {
  const reader = readerOf(path);
  return readPlugin(reader, reader.parse(text), "");
}

export const noPlugins = (list: CniList): SampanError =>
  readerOf(list.path).error("plugins", "is empty, must have a plugin");
