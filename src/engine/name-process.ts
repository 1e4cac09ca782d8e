/** How the process that answers names is started. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { NameProcess, type NetworkStore } from "#network";
import { hostResolvConf } from "./network-files.ts";
import { usableServers } from "./network/hosts.ts";
import type { EnginePaths } from "./paths.ts";

/** It stays small: what it remembers is bounded, and its garbage is short-lived. */
const flags = ["--max-old-space-size=64", "--max-semi-space-size=2", "--no-warnings", "--"];

/** The bundled program; undefined where there is none. */
function bundle(): string | undefined {
  return ["./sampan-dns.cjs", "../sampan-dns.cjs", "../../dist/sampan-dns.cjs"]
    .map((path) => new URL(path, import.meta.url).pathname)
    .find((path) => existsSync(path));
}

/** Names for the networks of these directories; undefined where the program is not bundled. */
export function nameProcess(paths: EnginePaths, store: NetworkStore): NameProcess | undefined {
  const program = bundle();
  if (program === undefined) return undefined;
  const { size, mtimeMs } = statSync(program);
  const version = `${size}-${Math.round(mtimeMs)}`;
  const state = join(paths.state, "..");
  return new NameProcess({
    directory: join(state, "dns"),
    store,
    version,
    servesDefault: usableServers(hostResolvConf()).length === 0,
    command: [process.execPath, ...flags, program, paths.root, state, version],
  });
}
