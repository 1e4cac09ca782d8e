/** The daemon as a process: from its configuration until it is asked to end. */
import { setFlagsFromString } from "node:v8";
import { fromSystemError } from "#errdefs";
import { loadConfig } from "./config.ts";
import { Daemon } from "./daemon.ts";
import { createLogger } from "./log.ts";
import { givenSockets, ServiceManager } from "./service.ts";

export interface RunOptions {
  readonly configPath: string | undefined;
  /** As `log.level=debug`. */
  readonly overrides: readonly string[];
  readonly version: string;
}

/** @returns the exit code, once it has been asked to end and has */
export async function runDaemon({ configPath, overrides, version }: RunOptions): Promise<number> {
  // Most of what calls leave dies young: a small nursery that is emptied often takes tens of megabytes less.
  setFlagsFromString("--max-semi-space-size=2");
  const given = givenSockets();
  await using service = new ServiceManager();
  const config = loadConfig(configPath, overrides);
  const logger = createLogger(config.settings["log.level"], config.settings["log.format"]);
  const ended = Promise.withResolvers<string>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      ended.resolve(signal);
      // Whoever asks again wants it at once.
      process.once(signal, () => process.exit(1));
    });
  }
  {
    await using daemon = await Daemon.start({ config, version, logger, given });
    process.on("SIGHUP", () => void reload());
    const reload = async (): Promise<void> => {
      await service.reloading();
      try {
        daemon.reload(loadConfig(configPath, overrides));
      } catch (error) {
        // What was is better than nothing.
        logger.error({ error: fromSystemError(error)?.message ?? String(error) }, "the configuration was not reloaded");
      }
      await service.ready();
    };
    await service.ready();
    logger.info({ signal: await ended.promise }, "ending");
    await service.stopping();
  }
  logger.info("ended");
  return 0;
}
