/** A thread that unpacks layers, as many at once as it is told to; `unpack-threads.ts` starts it. */
import { parentPort, type MessagePort } from "node:worker_threads";
import { KeelExecutor } from "#keel";
import { unpackInto } from "./layer-work.ts";
import { plainError, type FromThread, type ThreadRequest, type ToThread } from "./thread-messages.ts";

const executor = new KeelExecutor();

/**
 * The chunks that come over a port.
 *
 * @param decoded a decoder takes them, and is done with a whole one when it asks for the next one
 * @throws Error when the other side says that no more can come
 */
async function* chunksOf(port: MessagePort, decoded: boolean): AsyncGenerator<Uint8Array> {
  const queue: ToThread[] = [];
  let wake = (): void => {};
  port.on("message", (message: ToThread) => {
    queue.push(message);
    wake();
  });
  for (;;) {
    const message = queue.shift();
    if (message === undefined) {
      await new Promise<void>((resolve) => (wake = resolve));
      continue;
    }
    if (message.kind === "end") return;
    if (message.kind === "failed") throw new Error("The layer's bytes can't be had");
    yield message.chunk;
    const { buffer, length } = message.chunk;
    // Left to the garbage collector, tens of megabytes would wait for it. A decoder asks for more before it is done with the
    // last one, which is smaller than what its queue takes.
    if (decoded && length === buffer.byteLength) (buffer as ArrayBuffer).transfer(0);
    port.postMessage({ kind: "taken" } satisfies FromThread);
  }
}

async function unpack({ job, port }: ThreadRequest): Promise<void> {
  let answer: FromThread;
  try {
    answer = { kind: "done", layer: await unpackInto(job, chunksOf(port, job.compression !== "none"), executor) };
  } catch (error) {
    answer = { kind: "error", error: plainError(error) };
  }
  port.postMessage(answer);
  port.close();
}

parentPort?.on("message", (request: ThreadRequest) => void unpack(request));
