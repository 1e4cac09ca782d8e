import { invalidArgument } from "#errdefs";
import { readLandlock } from "./landlock.ts";
import { readIdMapping, readLinux } from "./read-linux.ts";
import { readProcess, readTimeout } from "./read-process.ts";
import {
  malformed,
  optional,
  readBoolean,
  readList,
  readMap,
  readNonEmpty,
  readObject,
  readString,
  readStrings,
} from "./reader.ts";
import type { HookConfig, HooksConfig, MountConfig, ProcessConfig, RootConfig, RuntimeConfig } from "./types.ts";

/** Largest config that is read, in UTF-16 units. */
const maxText = 4 * 1024 * 1024;

/**
 * Reads a runtime-spec config (`config.json`, any 1.x version) that JSON.parse gave. Unknown properties are ignored, as
 * the spec says (config.md, Extensibility). Missing lists become empty ones.
 *
 * @throws SampanError `invalid-argument` that names the property, e.g.
 *   `Cannot read config: process.rlimits[2].hard must be an integer from 0 to 2^64-1`
 */
export function parseRuntimeConfig(json: unknown): RuntimeConfig {
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw malformed("it", "must be an object");
  const o = readObject(json, "config");
  const ociVersion = readNonEmpty(o["ociVersion"], "ociVersion");
  if (!/^1\.[0-9]/.test(ociVersion)) throw malformed("ociVersion", `must be a version 1, not ${ociVersion}`);
  const annotations = readMap(o["annotations"], "annotations", readString);
  return {
    ociVersion,
    root: optional(o["root"], "root", readRoot),
    process: optional(o["process"], "process", readProcess),
    hostname: optional(o["hostname"], "hostname", readString),
    domainname: optional(o["domainname"], "domainname", readString),
    mounts: readList(o["mounts"], "mounts", readMount),
    hooks: readHooks(o["hooks"] ?? {}, "hooks"),
    annotations,
    linux: { ...readLinux(o["linux"] ?? {}, "linux"), landlock: readLandlock(annotations) },
  };
}

/**
 * Reads a list of mounts of its own (config.md#mounts); a single one may stand without its list.
 *
 * @throws SampanError `invalid-argument` that names the property
 */
export function parseMounts(json: unknown): readonly MountConfig[] {
  return readList(Array.isArray(json) ? json : [json], "mounts", readMount);
}

/**
 * Reads a process object of its own, as `exec --process` takes it (config.md#process).
 *
 * @throws SampanError `invalid-argument` that names the property
 */
export function parseProcessConfig(json: unknown): ProcessConfig {
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw malformed("process", "must be an object");
  return readProcess(json, "process");
}

/**
 * Like {@link parseRuntimeConfig}, from the file's text. Integers beyond 2^53 keep all their digits, which JSON.parse
 * alone loses: seccomp arguments and limits may need them.
 */
export function parseRuntimeConfigText(text: string): RuntimeConfig {
  return parseRuntimeConfig(parseJson(text));
}

/** JSON.parse, but integers that a number cannot hold exactly become bigint. */
export function parseJson(text: string): unknown {
  if (text.length > maxText) throw invalidArgument(`Cannot read config: it has more than ${maxText} characters`);
  try {
    return /[0-9]{16}/.test(text) ? (JSON.parse(text, keepDigits) as unknown) : JSON.parse(text);
  } catch (error) {
    throw invalidArgument("Cannot read config: it is no JSON", { cause: error });
  }
}

/** The third argument of a JSON.parse reviver (ES2026, JSON.parse source text access). */
function keepDigits(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value) || context?.source === undefined) return value;
  return /^-?[0-9]{1,40}$/.test(context.source) ? BigInt(context.source) : value;
}

function readRoot(value: unknown, path: string): RootConfig {
  const o = readObject(value, path);
  return {
    path: readNonEmpty(o["path"], `${path}.path`),
    readonly: optional(o["readonly"], `${path}.readonly`, readBoolean) ?? false,
  };
}

function readMount(value: unknown, path: string): MountConfig {
  const o = readObject(value, path);
  return {
    destination: readNonEmpty(o["destination"], `${path}.destination`),
    type: optional(o["type"], `${path}.type`, readString) ?? "",
    source: optional(o["source"], `${path}.source`, readString) ?? "",
    options: readStrings(o["options"], `${path}.options`),
    uidMappings: readList(o["uidMappings"], `${path}.uidMappings`, readIdMapping),
    gidMappings: readList(o["gidMappings"], `${path}.gidMappings`, readIdMapping),
  };
}

function readHooks(value: unknown, path: string): HooksConfig {
  const o = readObject(value, path);
  const list = (name: string): readonly HookConfig[] => readList(o[name], `${path}.${name}`, readHook);
  return {
    prestart: list("prestart"),
    createRuntime: list("createRuntime"),
    createContainer: list("createContainer"),
    startContainer: list("startContainer"),
    poststart: list("poststart"),
    poststop: list("poststop"),
  };
}

function readHook(value: unknown, path: string): HookConfig {
  const o = readObject(value, path);
  const file = readNonEmpty(o["path"], `${path}.path`);
  if (!file.startsWith("/")) throw malformed(`${path}.path`, "must be an absolute path");
  return {
    path: file,
    args: readStrings(o["args"], `${path}.args`),
    env: readStrings(o["env"], `${path}.env`),
    timeout: optional(o["timeout"], `${path}.timeout`, readTimeout),
  };
}
