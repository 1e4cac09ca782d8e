/** Loads and opens the engine, or reaches a daemon's: late, so that commands which don't need it start fast. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { ContainerEngine, Engine, EngineOptions, RuntimeDefinitions } from "#engine";
import { failedPrecondition, isSampanError } from "#errdefs";
import type { GlobalOptions } from "./command.ts";
import { chosenContext, type Context } from "./contexts.ts";

/**
 * The engine that a command works with: of the daemon that `--host` or `SAMPAN_HOST` names; of the daemon of this root on
 * this host when one answers; in this process otherwise.
 */
export async function reachEngine(globals: GlobalOptions): Promise<ContainerEngine> {
  const place = namedPlace(globals);
  const named = globals.namespace ?? process.env["SAMPAN_NAMESPACE"];
  const namespace = named === undefined || named === "" ? {} : { namespace: named };
  if (place?.host === noHost) return openEngine(globals);
  if (place !== undefined) {
    const { connect } = await import("#client");
    return connect({ ...place, ...namespace });
  }
  const socket = daemonSocket(globals);
  if (socket !== undefined) {
    const { connect } = await import("#client");
    try {
      return await connect({ host: socket, ...namespace });
    } catch (error) {
      // It died, and what it left says nothing.
      if (!isSampanError(error, "unavailable")) throw error;
    }
  }
  return openEngine(globals);
}

/** In place of a host: the engine in this process, whoever serves its root. */
const noHost = "none";

/** The daemon that was named: by its host, or by a context. */
function namedPlace(globals: GlobalOptions): Context | undefined {
  const host = globals.host ?? (globals.context === undefined ? process.env["SAMPAN_HOST"] || undefined : undefined);
  return host === undefined ? chosenContext(globals.context) : { host };
}

/** Socket of the daemon that serves this root, if there is one: its own file says so. A look at a missing file takes microseconds. */
function daemonSocket(globals: GlobalOptions): string | undefined {
  const state = resolve(globals.state ?? (process.env["SAMPAN_STATE"] || "/run/sampan"));
  const file = join(state, "daemon.json");
  if (!existsSync(file)) return undefined;
  const root = resolve(globals.root ?? (process.env["SAMPAN_ROOT"] || "/var/lib/sampan"));
  try {
    const daemon = JSON.parse(readFileSync(file, "utf8")) as { readonly root?: unknown; readonly socket?: unknown };
    return daemon.root === root && typeof daemon.socket === "string" ? daemon.socket : undefined;
  } catch {
    return undefined;
  }
}

/** The engine in this process, for commands that no daemon serves. */
export async function openEngine(globals: GlobalOptions, options: EngineOptions = {}): Promise<Engine> {
  const place = namedPlace(globals);
  if (place !== undefined && place.host !== noHost)
    throw failedPrecondition(`Cannot use the daemon at "${place.host}": this command works on this host only`, {
      remedy: "Use it with --host none",
    });
  const { Engine: EngineClass } = await import("#engine");
  return EngineClass.open({
    runtimes: configuredRuntimes,
    ...options,
    ...(globals.root === undefined ? {} : { root: globals.root }),
    ...(globals.state === undefined ? {} : { state: globals.state }),
    ...(globals.namespace === undefined ? {} : { namespace: globals.namespace }),
  });
}

/** Those of the daemon's configuration file; only asked for by who wants another runtime. */
async function configuredRuntimes(): Promise<RuntimeDefinitions> {
  const { loadConfig } = await import("#daemon");
  return loadConfig(process.env["SAMPAN_CONFIG"] || undefined, []).runtimes;
}

/** Does one thing for each name, reports each failure, and goes on; the exit code is 1 when any failed. */
export async function forEach(names: readonly string[], action: (name: string) => Promise<void>): Promise<number> {
  const { printError } = await import("./errors.ts");
  let code = 0;
  for (const name of names) {
    try {
      await action(name);
    } catch (error) {
      printError(error);
      code = 1;
    }
  }
  return code;
}

/** Ends when the user or the system asks to. */
export function interruption(): AbortSignal {
  const abort = new AbortController();
  process.once("SIGINT", () => abort.abort());
  process.once("SIGTERM", () => abort.abort());
  return abort.signal;
}
