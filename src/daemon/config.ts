/** The daemon's configuration: a TOML file, and `KEY=VALUE` from the command line over it. */
import { existsSync, readFileSync } from "node:fs";
import { isAbsolute, normalize } from "node:path";
import { parse, TomlError } from "smol-toml";
import { invalidArgument } from "#errdefs";
import type { RuntimeDefinitions } from "#engine";
import { readRuntimes } from "./runtimes.ts";
import { isCallName, type AllowRule } from "./policy.ts";
import { settings, type Setting, type SettingKey, type SettingValues } from "./settings.ts";
import { tomlLines } from "./toml-lines.ts";

export interface DaemonConfig {
  readonly settings: SettingValues;
  readonly allow: readonly AllowRule[];
  readonly runtimes: RuntimeDefinitions;
}

export interface ConfigProblem {
  /** In the file, from 1; undefined for what stands in no file. */
  readonly line: number | undefined;
  readonly message: string;
}

export const defaultConfigPath = "/etc/sampan/config.toml";
const maxFile = 1024 * 1024;

const byKey: ReadonlyMap<string, Setting> = new Map((settings as readonly Setting[]).map((s) => [s.key, s]));

function defaults(): SettingValues {
  return Object.fromEntries(settings.map((s) => [s.key, s.default])) as SettingValues;
}

/** Reads a configuration, with all that is wrong in it. */
export function checkConfig(text: string): {
  readonly config: DaemonConfig;
  readonly problems: readonly ConfigProblem[];
} {
  let table: Readonly<Record<string, unknown>>;
  try {
    table = parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [message = ""] = error.message.replace(/^Invalid TOML document: /, "").split("\n");
    return { config: { settings: defaults(), allow: [], runtimes: {} }, problems: [{ line: error.line, message }] };
  }
  const lines = tomlLines(text);
  const problems: ConfigProblem[] = [];
  const values: Record<string, unknown> = { ...defaults() };
  const report = (key: string, message: string): void => void problems.push({ line: lineOf(lines, key), message });
  for (const [key, value] of leaves(table)) {
    const setting = byKey.get(key);
    if (setting === undefined) {
      report(key, `Cannot use "${key}": there is no such setting`);
      continue;
    }
    const problem = problemOf(setting, value);
    if (problem === undefined) values[key] = value;
    else report(key, `Cannot use ${key} = ${JSON.stringify(value)}: ${problem}`);
  }
  const allow = readAllow(table["allow"], report);
  return {
    config: { settings: values as SettingValues, allow, runtimes: readRuntimes(table["runtimes"], report) },
    problems: problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)),
  };
}

/**
 * The daemon's configuration.
 *
 * @param path a missing file is a failure only when it is named
 * @param overrides as `log.level=debug`
 * @throws SampanError `invalid-argument` with the first problem and its line
 */
export function loadConfig(path: string | undefined, overrides: readonly string[]): DaemonConfig {
  const file = path ?? defaultConfigPath;
  const text = path === undefined && !existsSync(file) ? "" : readConfig(file);
  const { config, problems } = checkConfig(text);
  const [first] = problems;
  if (first !== undefined)
    throw invalidArgument(
      `Cannot read "${file}${first.line === undefined ? "" : `:${first.line}`}": ${first.message}`,
      {
        path: file,
        remedy: "See sampan config check",
      },
    );
  return { ...config, settings: override(config.settings, overrides) };
}

export function readConfig(file: string): string {
  const data = readFileSync(file);
  if (data.length > maxFile)
    throw invalidArgument(`Cannot read "${file}": it has more than ${maxFile} bytes`, { path: file });
  return data.toString("utf8");
}

function override(values: SettingValues, overrides: readonly string[]): SettingValues {
  const result: Record<string, unknown> = { ...values };
  for (const text of overrides) {
    const [, key = "", value = ""] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    const setting = byKey.get(key);
    if (setting === undefined) throw invalidArgument(`Cannot set "${text}": there is no setting "${key || text}"`);
    const parsed = parseValue(setting, value);
    const problem = problemOf(setting, parsed);
    if (problem !== undefined) throw invalidArgument(`Cannot set ${key} to ${JSON.stringify(value)}: ${problem}`);
    result[key] = parsed;
  }
  return result as SettingValues;
}

/** Of a value on the command line, where all are texts. */
function parseValue({ type }: Setting, text: string): unknown {
  if (type === "integer" && /^\d+$/.test(text)) return Number(text);
  if (type === "boolean" && /^(true|false)$/.test(text)) return text === "true";
  return text;
}

/** Settings that two configurations have different values for, and that no reload changes. */
export function needRestart(before: SettingValues, after: SettingValues): readonly SettingKey[] {
  return (settings as readonly Setting[])
    .filter(({ key, reloads }) => reloads !== true && before[key as SettingKey] !== after[key as SettingKey])
    .map(({ key }) => key as SettingKey);
}

function* leaves(table: Readonly<Record<string, unknown>>, prefix = ""): Generator<readonly [string, unknown]> {
  for (const [name, value] of Object.entries(table)) {
    const key = `${prefix}${name}`;
    if (key === "allow" || key === "runtimes") continue;
    const isTable = typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
    if (isTable) yield* leaves(value as Readonly<Record<string, unknown>>, `${key}.`);
    else yield [key, value];
  }
}

function problemOf({ type, choices, min = 0, max = 0 }: Setting, value: unknown): string | undefined {
  switch (type) {
    case "string":
      return typeof value === "string" ? undefined : "it is not a string";
    case "choice":
      return typeof value === "string" && choices?.includes(value) === true
        ? undefined
        : `it is not one of ${choices?.join(", ")}`;
    case "boolean":
      return typeof value === "boolean" ? undefined : "it is neither true nor false";
    case "integer":
      return typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max
        ? undefined
        : `it is not a whole number from ${min} to ${max}`;
  }
}

/** The nearest key above that has a line. */
function lineOf(lines: ReadonlyMap<string, number>, key: string): number | undefined {
  for (let part = key; part !== ""; part = part.replace(/(^|\.)[^.[]*$|\[\d+\]$/, "")) {
    const line = lines.get(part);
    if (line !== undefined) return line;
  }
  return undefined;
}

type Report = (key: string, message: string) => void;

const ruleKeys: ReadonlySet<string> = new Set([
  "uid",
  "gid",
  "certificate",
  "calls",
  "binds",
  "privileged",
  "namespaces",
]);

function readAllow(value: unknown, report: Report): readonly AllowRule[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    report("allow", 'Cannot use "allow": it is no list of tables, [[allow]]');
    return [];
  }
  return value.flatMap((item: unknown, index) => {
    const rule = readRule(item, `allow[${index}]`, report);
    return rule === undefined ? [] : [rule];
  });
}

function readRule(item: unknown, key: string, report: Report): AllowRule | undefined {
  if (typeof item !== "object" || item === null || Array.isArray(item)) {
    report(key, `Cannot use ${key}: it is no table`);
    return undefined;
  }
  const table = item as Readonly<Record<string, unknown>>;
  let bad = false;
  const fail = (name: string, state: string): void => {
    bad = true;
    report(`${key}.${name}`, `Cannot use ${name} of [[allow]]: ${state}`);
  };
  for (const name of Object.keys(table)) if (!ruleKeys.has(name)) fail(name, "there is no such setting");
  const { uid, gid, certificate, calls, binds = [], privileged = false, namespaces = [] } = table;
  const isId = (id: unknown): boolean => id === undefined || (Number.isSafeInteger(id) && (id as number) >= 0);
  if (!isId(uid)) fail("uid", "it is no user id");
  if (!isId(gid)) fail("gid", "it is no group id");
  if (certificate !== undefined && (typeof certificate !== "string" || certificate === ""))
    fail("certificate", "it is no common name");
  if (uid === undefined && gid === undefined && certificate === undefined) {
    bad = true;
    report(key, "Cannot use [[allow]]: it has none of uid, gid and certificate");
  }
  if (!Array.isArray(calls) || !calls.every((call) => typeof call === "string" && isCallName(call)))
    fail("calls", "it is no list of read, containers, images, all and names of calls");
  if (!Array.isArray(binds) || !binds.every((path) => typeof path === "string" && isPlainPath(path)))
    fail("binds", "it is no list of absolute paths");
  if (typeof privileged !== "boolean") fail("privileged", "it is neither true nor false");
  if (!Array.isArray(namespaces) || !namespaces.every((name) => typeof name === "string"))
    fail("namespaces", "it is no list of names");
  if (bad) return undefined;
  const rule: object = { calls: [], binds: [], privileged: false, ...table };
  return rule as AllowRule;
}

const isPlainPath = (path: string): boolean => isAbsolute(path) && normalize(path) === path;
