/** Loads and opens the engine: late, so that commands which don't need it start fast. */
import type { Engine, EngineOptions } from "#engine";
import type { GlobalOptions } from "./command.ts";

export async function openEngine(globals: GlobalOptions, options: EngineOptions = {}): Promise<Engine> {
  const { Engine: EngineClass } = await import("#engine");
  return EngineClass.open({
    ...options,
    ...(globals.root === undefined ? {} : { root: globals.root }),
    ...(globals.state === undefined ? {} : { state: globals.state }),
    ...(globals.namespace === undefined ? {} : { namespace: globals.namespace }),
  });
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
