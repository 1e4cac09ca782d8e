/** The daemon's log, on its standard error. */
import { pino, type Logger } from "pino";

export type { Logger };

export function createLogger(level: string, format: string): Logger {
  const destination = pino.destination({ dest: 2, sync: true });
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (format !== "text") return pino(options, destination);
  return pino(options, { write: (line) => void destination.write(plainLine(line)) });
}

/** `TIME LEVEL message name=value …` of a JSON line. */
function plainLine(line: string): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as Readonly<Record<string, unknown>>;
  const words = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  return `${String(time)} ${String(level).padEnd(5)} ${String(msg)}${words.join("")}\n`;
}
