/** How a command fails: its one line, and its exit code. */
import { inspect } from "node:util";
import { isSampanError } from "#errdefs";

/** One line: what, why, and what to do. */
export function printError(error: unknown): void {
  if (isSampanError(error)) {
    const remedy = error.fields.remedy === undefined ? "" : `. ${error.fields.remedy}`;
    process.stderr.write(`sampan: ${error.message}${remedy}\n`);
  } else {
    process.stderr.write(
      `sampan: internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
  }
  if (process.env["SAMPAN_DEBUG"] !== undefined && error instanceof Error && isSampanError(error))
    process.stderr.write(`${error.stack}\n${error.cause === undefined ? "" : `caused by ${inspect(error.cause)}\n`}`);
}

/** 127 when the container's command was not found, 126 when it can't be run. */
export function commandCode(error: unknown): number | undefined {
  if (!isSampanError(error) || error.fields.command !== true) return undefined;
  return error.fields.errno === 2 ? 127 : 126;
}
