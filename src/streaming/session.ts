/** Runs one exec or attach on a client's streams, whatever protocol they came by. */
import type { Writable } from "node:stream";
import { isSampanError } from "#errdefs";
import type { AttachStream, ExecStream, ProcessStreams, StreamBackend } from "./backend.ts";
import type { Outcome } from "./status.ts";

export type CommandRequest = ExecStream | AttachStream;

export async function runCommand(
  backend: StreamBackend,
  request: CommandRequest,
  streams: ProcessStreams,
): Promise<Outcome> {
  try {
    if (request.kind === "attach") {
      await backend.attach(request, streams);
      return { kind: "success" };
    }
    const code = await backend.exec(request, streams);
    return code === 0 ? { kind: "success" } : { kind: "exit", code };
  } catch (error) {
    return { kind: "failure", message: describe(error) };
  }
}

export function describe(error: unknown): string {
  if (isSampanError(error)) return error.message;
  return error instanceof Error ? error.message : String(error);
}

/** Ends a stream and waits until all is on its way; one that is broken is no hindrance. */
export function endStream(stream: Writable | undefined, last?: string): Promise<void> {
  if (stream === undefined || stream.destroyed || stream.writableFinished) return Promise.resolve();
  return new Promise((resolve) => {
    stream.once("close", resolve);
    stream.once("error", () => resolve());
    const done = (): void => resolve();
    if (stream.writableEnded) stream.once("finish", done);
    else if (last === undefined || last === "") stream.end(done);
    else stream.end(last, done);
  });
}
