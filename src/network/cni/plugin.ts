/**
 * Programs of plugins: finding them, and running them. They are run by keel, not as children of Node: keel forks in a
 * fraction of Node's time, its time limit and its lock hold also when this process is gone, and a container's monitor can
 * run the same operation at the container's end.
 */
import { constants, accessSync, statSync } from "node:fs";
import { join } from "node:path";
import { constants as os } from "node:os";
import { failedPrecondition, isSampanError, notFound, SampanError } from "#errdefs";
import type { Executor } from "#keel";
import type { Operation } from "#plan";
import { CniPluginError, failureIn, tailOf } from "./failure.ts";
import { CniReader, type JsonObject } from "./reader.ts";

type HelperOperation = Extract<Operation, { op: "helper" }>;

export type CniCommand = "ADD" | "CHECK" | "DEL" | "GC" | "STATUS" | "VERSION";

/** One call of a plugin. */
export interface CniCall {
  readonly command: CniCommand;
  readonly plugin: string;
  /** Words that follow `Cannot`, e.g. `add container "web" to CNI network "lan"`. */
  readonly action: string;
  readonly config: JsonObject;
  readonly container?: string;
  readonly namespace?: string;
  readonly interface?: string;
  /** `NAME=VALUE;…` */
  readonly args?: string;
  /** Milliseconds. */
  readonly timeout: number;
  /** A file that only one call has at a time. */
  readonly lock?: string;
}

/** Bytes that a plugin may print. */
const largestAnswer = 1_000_000;
const standardPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

function isProgram(path: string): boolean {
  try {
    if (!statSync(path).isFile()) return false;
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @throws SampanError `not-found` with the directories that were looked in */
export function findPlugin(type: string, directories: readonly string[], action: string): string {
  const path = directories.map((directory) => join(directory, type)).find(isProgram);
  if (path !== undefined) return path;
  throw notFound(`Cannot ${action}: plugin "${type}" is not in ${directories.join(", ")}`, {
    path: type,
    remedy: "Install it (Debian has containernetworking-plugins), or name its directory in CNI_PATH",
  });
}

/** Nothing of this process' environment: a plugin has what the specification says, and a path for programs of the host. */
function environment(call: CniCall, directories: readonly string[]): string[] {
  const { container, namespace, args } = call;
  return [
    `PATH=${standardPath}`,
    `CNI_COMMAND=${call.command}`,
    `CNI_PATH=${directories.join(":")}`,
    ...(container === undefined ? [] : [`CNI_CONTAINERID=${container}`]),
    ...(namespace === undefined ? [] : [`CNI_NETNS=${namespace}`]),
    ...(call.interface === undefined ? [] : [`CNI_IFNAME=${call.interface}`]),
    ...(args === undefined || args === "" ? [] : [`CNI_ARGS=${args}`]),
  ];
}

/** The operation that makes a call. @param succeed whether a failure of the plugin is the operation's */
export function pluginOperation(call: CniCall, directories: readonly string[], succeed = false): HelperOperation {
  const path = findPlugin(call.plugin, directories, call.action);
  return {
    op: "helper",
    path,
    arguments: [path],
    environment: environment(call, directories),
    input: new TextEncoder().encode(JSON.stringify(call.config)),
    timeout: call.timeout,
    limit: largestAnswer,
    succeed,
    lock: call.lock ?? "",
  };
}

/** What keel says of a program that it could not run to its end. */
function unfinished(error: unknown, call: CniCall, path: string): unknown {
  if (!isSampanError(error)) return error;
  const { errno, syscall } = error.fields;
  const refuse = (state: string): SampanError =>
    new SampanError(
      errno === os.errno.ETIMEDOUT ? "unavailable" : "failed-precondition",
      `Cannot ${call.action}: plugin "${call.plugin}" ${state}`,
      { path, cause: error },
    );
  if (syscall === "flock" && errno === os.errno.ETIMEDOUT)
    return refuse(`still works on it for somebody else after ${call.timeout} ms`);
  if (syscall === "helper" && errno === os.errno.ETIMEDOUT) return refuse(`did not end within ${call.timeout} ms`);
  if (syscall === "helper" && errno === os.errno.EFBIG) return refuse(`printed more than ${largestAnswer} bytes`);
  if (syscall === "execve") return refuse(`can't be executed: ${error.message.replace(/^Cannot [^:]*: /, "")}`);
  return error;
}

const signalNames: ReadonlyMap<number, string> = new Map(
  Object.entries(os.signals).map(([name, number]) => [number, name]),
);

/**
 * Runs a plugin, and gives what it has printed, undefined when that is nothing.
 *
 * @throws SampanError {@link CniPluginError} for a refusal in the specification's form; one that names the plugin and the end
 * of its standard error for anything else
 */
export async function runPlugin(
  executor: Executor,
  call: CniCall,
  directories: readonly string[],
): Promise<JsonObject | undefined> {
  const operation = pluginOperation(call, directories);
  const { path } = operation;
  let answer: Uint8Array | undefined;
  try {
    answer = (await executor.execute([operation])).get(0);
  } catch (error) {
    throw unfinished(error, call, path);
  }
  if (answer === undefined || answer.length < 8)
    throw failedPrecondition(`Cannot ${call.action}: keel has no answer of plugin "${call.plugin}"`, { path });
  const view = new DataView(answer.buffer, answer.byteOffset, answer.length);
  const status = view.getUint32(0, true);
  const size = view.getUint32(4, true);
  const output = new TextDecoder().decode(answer.subarray(8, 8 + size));
  if (status !== 0) throw refusal(call, path, status, output, new TextDecoder().decode(answer.subarray(8 + size)));
  return output.trim() === ""
    ? undefined
    : new CniReader(`the answer of CNI plugin "${call.plugin}"`, path).parse(output);
}

/** @param status of wait(2) */
function refusal(call: CniCall, path: string, status: number, output: string, errors: string): SampanError {
  const told = failureIn(output);
  if (told !== undefined) return new CniPluginError(call.plugin, told.code, told.words, { action: call.action, path });
  const signal = status & 0x7f;
  const how =
    signal === 0
      ? `exited with status ${status >> 8}`
      : `was killed by ${signalNames.get(signal) ?? `signal ${signal}`}`;
  const words = tailOf(errors.trim() === "" ? output : errors);
  return failedPrecondition(
    `Cannot ${call.action}: plugin "${call.plugin}" ${how}${words === "" ? " without a word" : `: ${words}`}`,
    { path },
  );
}
