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
import { KeelExecutor } from "#keel";
import { EgressGate, RefusedNames, serveNames } from "#network";

export async function main(args: readonly string[]): Promise<void> {
  const [root = "", state = "", version = "", addresses] = args;
  // Malformed packets are no news, and there may be many.
  Error.stackTraceLimit = 0;
  const paths = enginePaths(root, state);
  if (!existsSync(paths.database)) return;
  // Nothing is started before a container needs it whose egress is restricted.
  await using executor = new KeelExecutor();
  const directory = join(state, "dns");
  using source = new DatabaseNameSource(paths.database, paths.state);
  const refused = new RefusedNames(directory);
  await serveNames({
    directory,
    version,
    source,
    gate: new EgressGate({ executor, store: source, refused }),
    inherited: addresses?.split(",").filter((address) => address !== ""),
    resolvConf: "/etc/resolv.conf",
  });
  refused.flush();
}
