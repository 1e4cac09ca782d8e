/** Commands of another runtime that no monitor has to run: they do something with a container that is there, or tell of it. */
import { execFile } from "node:child_process";
import { failedPrecondition, unavailable } from "#errdefs";
import { handlerCommand, type HandlerContainer } from "#plan";

/** Milliseconds. */
const patience = 20_000;
const maxOutput = 4 * 1024 * 1024;

/** The runtimes' own environment: theirs to find helpers by, and nothing of this process's secrets. */
export const handlerEnvironment: readonly string[] = [
  `PATH=${process.env["PATH"] ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}`,
];

const environment = (): Record<string, string> =>
  Object.fromEntries(
    handlerEnvironment.map((text) => [text.slice(0, text.indexOf("=")), text.slice(text.indexOf("=") + 1)]),
  );

/**
 * Runs a command of the runtime for a container.
 *
 * @param action that continues `Cannot`
 * @returns its output
 * @throws SampanError `failed-precondition` with the runtime's own words, `unavailable` when it does not end in time
 */
export async function runHandler(
  container: HandlerContainer,
  words: readonly string[],
  action: string,
): Promise<string> {
  const [path = "", ...args] = handlerCommand(container, "/dev/null", words);
  return await runProgram(path, args, `Cannot ${action}: runtime "${container.handler.name}"`);
}

/** @param complaint the beginning of an error's message */
export async function runProgram(path: string, args: readonly string[], complaint: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    execFile(
      path,
      args,
      { env: environment(), timeout: patience, killSignal: "SIGKILL", maxBuffer: maxOutput, cwd: "/" },
      (error, stdout, stderr) => {
        if (error === null) return resolve(stdout);
        if (error.killed === true)
          return reject(unavailable(`${complaint} does not end within ${patience / 1000} s`, { cause: error, path }));
        const words = stderr.replaceAll(/\s+/g, " ").trim().slice(-400);
        const state = error.code === "ENOENT" ? `${path} does not exist` : words === "" ? error.message : words;
        reject(failedPrecondition(`${complaint}: ${state}`, { cause: error, path }));
      },
    );
  });
}
