/** Carries a process's input, output and sizes between its monitor and a client's streams. */
import type { Readable, Writable } from "node:stream";
import { cancelled } from "#errdefs";
import type { Attachment, Exited } from "#engine";
import type { ProcessStreams } from "#streaming";

/**
 * Resolves at the process's end, when all its output is written.
 *
 * @throws SampanError `cancelled` when the client has gone: the attachment is closed then
 */
export async function carry(session: Attachment, streams: ProcessStreams): Promise<Exited> {
  const { stdin, stdout, stderr, resizes, signal } = streams;
  const leave = (): void => session.close();
  signal.addEventListener("abort", leave, { once: true });
  if (signal.aborted) leave();
  session.onOutput((stream, data) => write(stream === 1 ? stdout : stderr, data));
  if (stdin !== undefined) void feed(session, stdin);
  void resize(session, resizes);
  try {
    return await session.exited;
  } catch (error) {
    throw signal.aborted ? cancelled("Cannot go on with the stream: its client has gone", { cause: error }) : error;
  } finally {
    signal.removeEventListener("abort", leave);
    session.close();
  }
}

/** What nobody wants, and what a client that has left does not read any more, is thrown away. */
function write(output: Writable | undefined, data: Uint8Array): Promise<void> | undefined {
  if (output === undefined || output.destroyed || output.write(data)) return undefined;
  return new Promise((resolve) => {
    const done = (): void => {
      output.off("drain", done);
      output.off("close", done);
      resolve();
    };
    output.on("drain", done);
    output.on("close", done);
  });
}

async function feed(session: Attachment, stdin: Readable): Promise<void> {
  try {
    for await (const chunk of stdin) await session.write(chunk as Uint8Array);
  } catch {
    // A client that breaks off has ended its input.
  }
  session.closeInput();
}

async function resize(session: Attachment, sizes: ProcessStreams["resizes"]): Promise<void> {
  try {
    for await (const { columns, rows } of sizes) session.resize(columns, rows);
  } catch {
    // The client's sizes end with the client.
  }
}
