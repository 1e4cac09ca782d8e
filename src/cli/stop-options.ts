/** The options that `stop` and `restart` share. */
import type { StopOptions } from "#engine";
import type { OptionDefinitions, OptionValues } from "./command.ts";

export const stopFlags = {
  signal: { type: "string", short: "s", value: "SIGNAL", help: "in place of the container's stop signal" },
  time: { type: "string", short: "t", value: "SECONDS", help: "how long to wait before SIGKILL, 10 by default" },
} as const satisfies OptionDefinitions;

/** @throws SampanError `invalid-argument` for a time that is no number of seconds */
export async function stopOptions({ signal, time }: OptionValues<typeof stopFlags>): Promise<StopOptions> {
  const { parseInteger } = await import("#engine");
  return {
    ...(time !== undefined && { timeout: parseInteger(time, "--time", 0, 2 ** 31 - 1) }),
    ...(signal !== undefined && { signal }),
  };
}
