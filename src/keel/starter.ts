/** Starting a container whose monitor has not stayed: it listens to its starter itself (`start-socket`). */
import { unlinkSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { failedPrecondition, permissionDenied, unavailable, type SampanError } from "#errdefs";
import type { Operation, Reply } from "#plan";
import { failure } from "./failure.ts";
import { FrameReader } from "./frames.ts";
import { connectIn } from "./monitor-socket.ts";
import { decodeReply } from "./wire.gen.ts";

const socketName = "start.sock";

/** Errors of a connection that nobody listens to any more. */
const gone: ReadonlySet<unknown> = new Set(["ENOENT", "ECONNREFUSED", "ECONNRESET", "EPIPE"]);

/**
 * Lets a created container run its program, and resolves when it does.
 *
 * @param stateDirectory that of its `start-socket` operation
 * @param program what it was created with, to say what failed
 * @throws SampanError with the failed operation in `fields` when the program can't be run; the container has ended then.
 *   `failed-precondition` when it was started before, or has ended
 */
export async function startOrphan(stateDirectory: string, program: readonly Operation[]): Promise<void> {
  let started = false;
  for (const reply of await replies(stateDirectory)) {
    if (reply.kind === "done") started = true;
    if (reply.kind === "failed") throw failure(reply, program, "start the container");
  }
  if (!started) throw notWaiting(stateDirectory);
}

/** All that the container says until it closes the connection. The socket is removed when it has said anything. */
async function replies(directory: string): Promise<readonly Reply[]> {
  const heard: Reply[] = [];
  const frames = new FrameReader();
  try {
    const socket = await connectIn(directory, socketName);
    // A connection that was reset since has thrown its error away.
    if (!socket.destroyed) await read(socket, frames, heard);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    const init = { cause, path: directory };
    if (code === "EACCES" || code === "EPERM")
      throw permissionDenied(`Cannot start the container of "${directory}": permission denied`, init);
    if (!gone.has(code)) throw unavailable(`Cannot start the container of "${directory}": it does not answer`, init);
  }
  if (heard.length > 0) remove(join(directory, socketName));
  return heard;
}

async function read(socket: Socket, frames: FrameReader, heard: Reply[]): Promise<void> {
  for await (const chunk of socket as AsyncIterable<Buffer>)
    for (const { kind, body } of frames.push(chunk)) {
      const reply = decodeReply(kind, body);
      if (reply !== undefined) heard.push(reply);
    }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    // The container's end may have been seen, and its directory removed, meanwhile.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

function notWaiting(directory: string): SampanError {
  return failedPrecondition("Cannot start the container: it does not wait for its start", { path: directory });
}
