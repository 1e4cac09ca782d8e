/** The tables [runtimes.NAME] of the configuration. */
import type { RuntimeDefinition, RuntimeDefinitions } from "#engine";

const keys: ReadonlySet<string> = new Set(["path", "arguments", "type"]);
const types: ReadonlySet<unknown> = new Set([undefined, "oci", "runsc", "kata"]);

/** @param report is told of all that is wrong, by its key */
export function readRuntimes(value: unknown, report: (key: string, message: string) => void): RuntimeDefinitions {
  if (value === undefined) return {};
  if (!isTable(value)) {
    report("runtimes", 'Cannot use "runtimes": it is no table, [runtimes.NAME]');
    return {};
  }
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, item]): [string, RuntimeDefinition][] => {
      const definition = readRuntime(name, item, report);
      return definition === undefined ? [] : [[name, definition]];
    }),
  );
}

function readRuntime(
  name: string,
  item: unknown,
  report: (key: string, message: string) => void,
): RuntimeDefinition | undefined {
  const at = `runtimes.${name}`;
  let bad = false;
  const fail = (key: string, state: string): void => {
    bad = true;
    report(key === "" ? at : `${at}.${key}`, `Cannot use ${key === "" ? at : `${key} of [${at}]`}: ${state}`);
  };
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}$/.test(name) || name === "sampan") fail("", "it is no name of a runtime");
  if (!isTable(item)) {
    fail("", "it is no table");
    return undefined;
  }
  for (const key of Object.keys(item)) if (!keys.has(key)) fail(key, "there is no such setting");
  const { path, arguments: words, type } = item;
  if (path !== undefined && (typeof path !== "string" || path === "")) fail("path", "it is no path of a program");
  if (words !== undefined && (!Array.isArray(words) || !words.every((word) => typeof word === "string")))
    fail("arguments", "it is no list of strings");
  if (!types.has(type)) fail("type", "it is not one of oci, runsc, kata");
  return bad ? undefined : item;
}

const isTable = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
