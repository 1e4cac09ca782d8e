/** The log that engines read: `--log FILE --log-format text|json`, in the words that runc's has (logrus). */
import { appendFileSync } from "node:fs";
import type { OciGlobals } from "./command.ts";

export type LogLevel = "debug" | "info" | "warning" | "error";

// What is quoted may come from outside: a line stays a line.
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const controls = /[\u0000-\u001f\u007f-\u009f]+/g;

/** One line of the log, without its end. */
export function logLine(format: OciGlobals["logFormat"], level: LogLevel, message: string, time: Date): string {
  const msg = message.replace(controls, " ");
  const seconds = time.toISOString().replace(/\.\d+Z$/, "Z");
  if (format === "json") return JSON.stringify({ level, msg, time: seconds });
  return `time=${JSON.stringify(seconds)} level=${level} msg=${JSON.stringify(msg)}`;
}

/** Writes to the log file, or to stderr where none was given. */
export function logTo(globals: Pick<OciGlobals, "log" | "logFormat">, level: LogLevel, message: string): void {
  const line = `${logLine(globals.logFormat, level, message, new Date())}\n`;
  if (globals.log === undefined) {
    process.stderr.write(line);
    return;
  }
  try {
    appendFileSync(globals.log, line);
  } catch (error) {
    process.stderr.write(`${line}sampan-oci: Cannot write log "${globals.log}": ${(error as Error).message}\n`);
  }
}
