/**
 * The process that answers names (`dist/sampan-dns.cjs`), started by engines as it is needed and not by people:
 *
 *     node sampan-dns.cjs ROOT STATE VERSION ADDRESS,…
 *
 * with the sockets that `spawnServer` describes; without addresses it binds them itself.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseNameSource, enginePaths } from "#engine";
import { openDatabase } from "#images";
import { serveNames } from "#network";

export async function main(args: readonly string[]): Promise<void> {
  const [root = "", state = "", version = "", addresses] = args;
  // Malformed packets are no news, and there may be many.
  Error.stackTraceLimit = 0;
  const paths = enginePaths(root, state);
  if (!existsSync(paths.database)) return;
  using database = openDatabase(paths.database);
  await serveNames({
    directory: join(state, "dns"),
    version,
    source: new DatabaseNameSource(database, paths.state),
    inherited: addresses?.split(",").filter((address) => address !== ""),
    resolvConf: "/etc/resolv.conf",
  });
}
