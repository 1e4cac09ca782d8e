/** What another runtime says of a failure: the end of its log, in its own words. */
import { constants } from "node:os";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { SampanError, isSampanError } from "#errdefs";
import type { RuntimeHandler } from "#plan";

const maxLog = 64 * 1024;
const maxWords = 400;
const wroteNoPid = "it did not write the pid of a process, or handed no terminal over";

/**
 * The error of a runtime's command that failed: with the runtime's name and its last words. Any other comes back as it is.
 *
 * @param log that the command was given
 * @param action that continues `Cannot`
 */
export function handlerFailure(error: unknown, handler: RuntimeHandler, log: string, action: string): unknown {
  if (!isSampanError(error)) return error;
  const { syscall, errno, path } = error.fields;
  if (syscall === "execve" && path === handler.path)
    return new SampanError(
      "failed-precondition",
      `Cannot ${action}: the runtime "${handler.name}" (${handler.path}) ${
        errno === constants.errno.ENOENT ? "does not exist" : "cannot be executed"
      }`,
      { cause: error, path: handler.path, remedy: "Install it, or see sampan info for the runtimes that there are" },
    );
  const ended = syscall === "runtime";
  if (!ended && !(error.fields.operation ?? "").startsWith("make the process by ")) return error;
  const said = lastWords(log);
  const state = ended ? (/: it (.*)$/s.exec(error.message)?.[1] ?? error.message) : wroteNoPid;
  const words = said === "" || errno === constants.errno.ETIMEDOUT ? state : said;
  return new SampanError(codeOf(words), `Cannot ${action}: runtime "${handler.name}": ${words}`, {
    cause: error,
    path: handler.path,
    ...commandFault(words),
  });
}

/** Runtimes say it in words alone, each in its own. */
function commandFault(words: string): { readonly command?: true; readonly errno?: number } {
  if (
    /executable file .*not found|error finding executable|exec: .*no such file|stat `?.*no such file or directory/i.test(
      words,
    )
  )
    return { command: true, errno: constants.errno.ENOENT };
  if (/exec.*permission denied|starting container process.*permission denied|is a directory/i.test(words))
    return { command: true, errno: constants.errno.EACCES };
  return {};
}

function codeOf(words: string): "not-found" | "permission-denied" | "failed-precondition" {
  const { errno } = commandFault(words);
  if (errno === constants.errno.ENOENT) return "not-found";
  return errno === constants.errno.EACCES ? "permission-denied" : "failed-precondition";
}

/** The last line of a log that tells of an error: lines of JSON with `msg`, or plain ones. */
function lastWords(path: string): string {
  const lines = readEnd(path)
    .replaceAll("}{", "}\n{")
    .split("\n")
    .filter((line) => line.trim() !== "");
  for (const line of lines.toReversed()) {
    const words = wordsOf(line);
    if (words !== "") return words.length > maxWords ? `${words.slice(0, maxWords)}…` : words;
  }
  return "";
}

function wordsOf(line: string): string {
  try {
    const { msg, level } = JSON.parse(line) as { readonly msg?: unknown; readonly level?: unknown };
    if (level === "debug" || level === "info" || level === "warning") return "";
    return typeof msg === "string" ? plain(msg) : "";
  } catch {
    return plain(line);
  }
}

/** One line, whatever the runtime wrote. */
const plain = (text: string): string =>
  text
    // eslint-disable-next-line no-control-regex
    .replaceAll(/[\u0000-\u001f\u007f]+/g, " ")
    .trim();

function readEnd(path: string): string {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return "";
  }
  try {
    const { size } = fstatSync(fd);
    const length = Math.min(size, maxLog);
    const data = Buffer.alloc(length);
    return data.toString("utf8", 0, readSync(fd, data, 0, length, size - length));
  } finally {
    closeSync(fd);
  }
}
