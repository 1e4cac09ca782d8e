/** The daemon as a process: until it is asked to end. */
import { Daemon, type DaemonOptions } from "./daemon.ts";

export async function runDaemon(options: DaemonOptions): Promise<number> {
  const ended = Promise.withResolvers<void>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => ended.resolve());
  await using daemon = await Daemon.start(options);
  process.stderr.write(`sampan: serving at ${daemon.socketPath}\n`);
  await ended.promise;
  return 0;
}
