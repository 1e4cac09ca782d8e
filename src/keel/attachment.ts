/** A client's end of a process's standard streams. */
import { cancelled, internal } from "#errdefs";
import type { Operation, Reply, ReplyExited, Request } from "#plan";
import type { Connection } from "./connection.ts";
import { failure } from "./failure.ts";

/** Most bytes in one `input`. */
const maxInput = 64 * 1024;

/** How a process ended. */
export type Exited = Omit<ReplyExited, "kind">;

/**
 * Takes output: stream 1 is stdout or the terminal, 2 is stderr. `data` may be kept. While a returned promise is pending no
 * more output is read, and in the end the process itself has to wait. One that rejects ends the attachment.
 */
export type OnOutput = (stream: 1 | 2, data: Uint8Array) => void | Promise<void>;

/** Attached to a process: the container's own or an exec'd one. Detaching does not end the process. */
export interface Attachment extends Disposable {
  /**
   * Resolves after all output has been given to `onOutput`. Rejects with `cancelled` after {@link Attachment.detach}, with
   * `unavailable` when the monitor goes away, or with what `onOutput` threw.
   */
  readonly exited: Promise<Exited>;

  /** Sends bytes to stdin. Resolves when more can be sent; what comes after the process's end is thrown away. */
  write(data: Uint8Array): Promise<void>;

  /** The end of stdin, as far as the container allows it (`stdinOnce`). A terminal has none. */
  closeInput(): Promise<void>;

  /** Sets the terminal's size, in characters. */
  resize(columns: number, rows: number): Promise<void>;

  /** Ends the connection. Safe to call twice. */
  detach(): void;
}

/** An exec'd process. */
export interface ExecSession extends Attachment {
  /** In keel's pid namespace. */
  readonly pid: number;
}

export type SessionRequest = Extract<Request, { kind: "attach" | "exec" }>;

/** One `attach` or `exec` over a connection of its own, so that back-pressure concerns nothing else. */
export class MonitorSession implements ExecSession {
  readonly exited: Promise<Exited>;
  readonly #connection: Connection;
  readonly #onOutput: OnOutput | undefined;
  readonly #program: readonly Operation[] | undefined;
  readonly #opened = Promise.withResolvers<void>();
  readonly #exited = Promise.withResolvers<Exited>();
  readonly #id: number;
  #pid = 0;

  /** @param connection belongs to the session from now on */
  constructor(connection: Connection, request: SessionRequest, onOutput: OnOutput | undefined) {
    this.#connection = connection;
    this.#onOutput = onOutput;
    this.#program = request.kind === "exec" ? request.program : undefined;
    this.exited = this.#exited.promise;
    // Whoever is not interested in the end must not be ended by it.
    this.exited.catch(() => {});
    this.#opened.promise.catch(() => {});
    this.#id = connection.open(
      request,
      (reply) => this.#take(reply),
      (error) => {
        this.#opened.reject(error);
        this.#exited.reject(error);
      },
    );
  }

  /** Resolves once the monitor has answered that it is attached, or the process runs. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  get pid(): number {
    return this.#pid;
  }

  async write(data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.length; at += maxInput) {
      await this.#connection.send(this.#id, { kind: "input", data: data.subarray(at, at + maxInput) });
    }
  }

  async closeInput(): Promise<void> {
    await this.#connection.send(this.#id, { kind: "close-input" });
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#connection.send(this.#id, { kind: "resize", columns, rows });
  }

  detach(): void {
    this.#connection.close(cancelled("Cannot wait for the process: detached from it"));
  }

  [Symbol.dispose](): void {
    this.detach();
  }

  #take(reply: Reply): void | Promise<void> {
    switch (reply.kind) {
      case "output":
        return this.#onOutput?.(reply.stream === 2 ? 2 : 1, reply.data);
      case "done":
        return this.#opened.resolve();
      case "exec-started":
        this.#pid = reply.pid;
        return this.#opened.resolve();
      case "exited": {
        const { kind: _, ...exited } = reply;
        this.#exited.resolve(exited);
        return this.#connection.close(cancelled("Cannot use the session: the process has ended"));
      }
      case "failed":
        return this.#connection.close(failure(reply, this.#program, "attach to the container"));
      case "executed":
      case "created":
      case "status-is":
        throw internal(`Cannot use "${reply.kind}" from the monitor: it was not asked for`);
    }
  }
}
