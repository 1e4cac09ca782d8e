/** How a command fails: its one line, and its exit code. */
import { inspect } from "node:util";
import { fromSystemError, isSampanError } from "#errdefs";

/** One line: what, why, and what to do. */
export function printError(error: unknown): void {
  const known = fromSystemError(error);
  if (known !== undefined) {
    const remedy = known.fields.remedy === undefined ? "" : `. ${known.fields.remedy}`;
    // What is quoted may come from outside: a line stays a line.
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    process.stderr.write(`sampan: ${`${known.message}${remedy}`.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ")}\n`);
  } else {
    process.stderr.write(
      `sampan: internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
  }
  if (process.env["SAMPAN_DEBUG"] !== undefined && known !== undefined && error instanceof Error)
    process.stderr.write(`${error.stack}\n${error.cause === undefined ? "" : `caused by ${inspect(error.cause)}\n`}`);
}

/** 127 when the container's command was not found, 126 when it can't be run. */
export function commandCode(error: unknown): number | undefined {
  if (!isSampanError(error) || error.fields.command !== true) return undefined;
  return error.fields.errno === 2 ? 127 : 126;
}
