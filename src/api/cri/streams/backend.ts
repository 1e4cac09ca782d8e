/** Exec, attach and port-forward of the streaming server over the engine. */
import type { Duplex } from "node:stream";
import type { PodForwards } from "#engine";
import type { AttachStream, ExecStream, ProcessStreams, StreamBackend } from "#streaming";
import type { ContainerBook } from "../containers/book.ts";
import type { PodBook } from "../pods/book.ts";
import { carry } from "./carry.ts";

export interface Books {
  readonly pods: PodBook;
  readonly containers: ContainerBook;
}

export class EngineStreams implements StreamBackend {
  readonly #forwards: PodForwards;
  readonly #books: Books;

  constructor(forwards: PodForwards, books: Books) {
    this.#forwards = forwards;
    this.#books = books;
  }

  async exec({ container: id, command, tty }: ExecStream, streams: ProcessStreams): Promise<number> {
    const { container } = this.#books.containers.get(id);
    const session = await container.exec({ command, tty, openStdin: streams.stdin !== undefined });
    const { status } = await carry(session, streams);
    return status;
  }

  async attach({ container: id, stdin }: AttachStream, streams: ProcessStreams): Promise<void> {
    const { container } = this.#books.containers.get(id);
    await carry(await container.attach({ stdin, output: true }), streams);
  }

  async connect(pod: string, port: number, signal: AbortSignal): Promise<Duplex> {
    return await this.#forwards.connect(this.#books.pods.get(pod).id, port, signal);
  }
}
