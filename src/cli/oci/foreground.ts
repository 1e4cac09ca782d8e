/** A process that this one waits for: its terminal is this terminal, signals are passed on. */
import { constants } from "node:os";
import { isSampanError } from "#errdefs";
import type { MonitorClient } from "#keel";
import { connect, rawTerminal, terminalSize } from "../streams.ts";

const forwarded: readonly NodeJS.Signals[] = [
  "SIGINT",
  "SIGTERM",
  "SIGHUP",
  "SIGQUIT",
  "SIGUSR1",
  "SIGUSR2",
  "SIGCONT",
];

/**
 * Lets it run, and waits for its end.
 *
 * @param start what lets it run
 * @returns its exit code, 128 + n when signal n ended it
 */
export async function runInForeground(
  monitor: MonitorClient,
  terminal: boolean,
  start: () => Promise<void>,
): Promise<number> {
  return terminal ? await runWithTerminal(monitor, start) : await runWithOwnStreams(monitor, start);
}

async function runWithTerminal(monitor: MonitorClient, start: () => Promise<void>): Promise<number> {
  using _ = rawTerminal(true);
  const attachment = await monitor.attach({ stdin: true, output: true });
  try {
    const size = terminalSize();
    if (size !== undefined) attachment.resize(size.columns, size.rows);
    await start();
  } catch (error) {
    attachment.close();
    throw error;
  }
  const ending = await connect(attachment, {
    stdin: true,
    tty: true,
    detachKeys: false,
    // In raw mode what is typed is for the container's terminal; these come from elsewhere.
    onSignal: (signal) => void monitor.kill(constants.signals[signal]).catch(ignoreEnded),
  });
  return ending.kind === "exited" ? ending.status : 0;
}

async function runWithOwnStreams(monitor: MonitorClient, start: () => Promise<void>): Promise<number> {
  // Asked before it runs: its end may come at any time after.
  const exited = monitor.wait();
  exited.catch(() => undefined);
  const handlers = forwarded.map((signal) => {
    const handler = (): void => void monitor.kill(constants.signals[signal]).catch(ignoreEnded);
    process.on(signal, handler);
    return [signal, handler] as const;
  });
  try {
    await start();
    return (await exited).status;
  } finally {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  }
}

function ignoreEnded(error: unknown): void {
  if (!isSampanError(error)) throw error;
}
