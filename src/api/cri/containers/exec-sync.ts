/** ExecSync: a command is run to its end, its output comes in one answer. */
import { Code, ConnectError } from "@connectrpc/connect";
import { failedPrecondition, invalidArgument, isSampanError } from "#errdefs";
import type { CriContext } from "../context.ts";
import type { ExecSyncRequest } from "../gen/runtime/v1/runtime_pb.ts";
import { containerState, ContainerState } from "./state.ts";
import { inRange, plainText } from "./translate/check.ts";

/** An answer has at most 16 MiB, the rest of it included (CVE-2022-31030). What comes beyond is read and thrown away. */
const outputLimit = 16 * 1024 * 1024 - 4096;

export interface ExecResult {
  readonly stdout: Uint8Array<ArrayBuffer>;
  readonly stderr: Uint8Array<ArrayBuffer>;
  readonly exitCode: number;
}

/**
 * @param signal gives up: the client has left
 * @throws ConnectError DeadlineExceeded after `timeout` seconds; the process has been killed then
 */
export async function execSync(
  { containers }: CriContext,
  { containerId, cmd, timeout }: ExecSyncRequest,
  signal: AbortSignal,
): Promise<ExecResult> {
  const found = containers.get(containerId);
  const { container } = found;
  if (cmd.length === 0 || cmd[0] === "") throw invalidArgument("Cannot run a command: cmd is empty");
  for (const [index, word] of cmd.entries()) plainText(`cmd[${index}]`, word);
  const seconds = inRange("timeout", timeout, 0n, 2n ** 31n - 1n);
  if (containerState(found) !== ContainerState.CONTAINER_RUNNING)
    throw failedPrecondition(`Cannot run a command in container "${found.id}": it is not running`);
  const session = await container.exec({ command: cmd }).catch((error: unknown) => {
    // A client takes `not-found` for the container's own.
    if (isSampanError(error, "not-found") && error.fields.command === true)
      throw invalidArgument(error.message, { ...error.fields, cause: error });
    throw error;
  });
  const collected = new Output();
  session.onOutput((stream, data) => collected.add(stream, data));
  const timer = new AbortController();
  const handle = seconds === 0 ? undefined : setTimeout(() => timer.abort(), Math.min(seconds * 1000, 2 ** 31 - 1));
  const given = Promise.withResolvers<never>();
  const giveUp = (): void => given.reject(new Error("given up"));
  timer.signal.addEventListener("abort", giveUp);
  signal.addEventListener("abort", giveUp);
  if (signal.aborted) giveUp();
  given.promise.catch(() => undefined);
  try {
    const { status } = await Promise.race([session.exited, given.promise]);
    return { ...collected.take(), exitCode: status };
  } catch (error) {
    if (!timer.signal.aborted && !signal.aborted) throw error;
    await container.endExec(session);
    session.close();
    throw new ConnectError(
      `Cannot run ${JSON.stringify(cmd[0])} in container "${found.id}": command timed out, it did not end within ${seconds} seconds`,
      Code.DeadlineExceeded,
    );
  } finally {
    clearTimeout(handle);
    signal.removeEventListener("abort", giveUp);
  }
}

class Output {
  readonly #parts: Readonly<Record<1 | 2, Uint8Array[]>> = { 1: [], 2: [] };
  #left = outputLimit;

  add(stream: 1 | 2, data: Uint8Array): void {
    const kept = data.length > this.#left ? data.subarray(0, this.#left) : data;
    this.#left -= kept.length;
    if (kept.length > 0) this.#parts[stream].push(kept);
  }

  take(): Pick<ExecResult, "stdout" | "stderr"> {
    return { stdout: joined(this.#parts[1]), stderr: joined(this.#parts[2]) };
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
