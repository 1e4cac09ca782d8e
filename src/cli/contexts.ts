/** Daemons that a user has given names to: `~/.config/sampan/contexts.json`. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { dataLoss, notFound } from "#errdefs";

export interface Context {
  readonly host: string;
  readonly tls?: { readonly ca?: string; readonly certificate?: string; readonly key?: string };
}

export interface Contexts {
  /** Of {@link Contexts.all}, or `default`: the daemon or engine of this host. */
  readonly current: string;
  readonly all: ReadonlyMap<string, Context>;
}

export const defaultContext = "default";

function contextsFile(): string {
  return join(process.env["XDG_CONFIG_HOME"] || join(homedir(), ".config"), "sampan", "contexts.json");
}

/** @throws SampanError `data-loss` when the file is damaged */
export function readContexts(): Contexts {
  const path = contextsFile();
  if (!existsSync(path)) return { current: defaultContext, all: new Map() };
  try {
    const { current, contexts } = JSON.parse(readFileSync(path, "utf8")) as {
      readonly current: string;
      readonly contexts: Readonly<Record<string, Context>>;
    };
    if (typeof current !== "string" || Object.values(contexts).some(({ host }) => typeof host !== "string"))
      throw new TypeError("not as it was written");
    return { current, all: new Map(Object.entries(contexts)) };
  } catch (cause) {
    throw dataLoss(`Cannot read "${path}": it is damaged`, { path, cause, remedy: "Remove it" });
  }
}

export function writeContexts({ current, all }: Contexts): void {
  const path = contextsFile();
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const text = JSON.stringify({ current, contexts: Object.fromEntries(all) }, undefined, 2);
  writeFileSync(`${path}.new`, `${text}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Undefined for the default one. */
export function findContext(contexts: Contexts, name: string): Context | undefined {
  if (name === defaultContext) return undefined;
  const found = contexts.all.get(name);
  if (found === undefined)
    throw notFound(`Cannot find context "${name}": there is none with this name`, { remedy: "See sampan context ls" });
  return found;
}

/** The context that a command is to use, where no host is named. */
export function chosenContext(named: string | undefined): Context | undefined {
  const name = named ?? (process.env["SAMPAN_CONTEXT"] || undefined);
  if (name === undefined && !existsSync(contextsFile())) return undefined;
  const contexts = readContexts();
  return findContext(contexts, name ?? contexts.current);
}
