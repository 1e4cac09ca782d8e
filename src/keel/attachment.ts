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
export type OnOutput = (stream: 1 | 2, data: Uint8Array) => Promise<void> | undefined | void;

/** Attached to a process: the container's own or an exec'd one. Detaching does not end the process. */
export interface Attachment extends Disposable {
  /**
   * Resolves after all output has been given to {@link Attachment.onOutput}. Rejects with `cancelled` after
   * {@link Attachment.close}, with `unavailable` when the monitor goes away, or with what the output's taker threw.
   */
  readonly exited: Promise<Exited>;

  /** Gives the output to `take`, from the first byte on: it is held back until then. */
  onOutput(take: OnOutput): void;

  /**
   * Sends bytes to stdin. What comes after the process's end is thrown away.
   *
   * @returns a promise when the caller should not write more before it resolves
   */
  write(data: Uint8Array): Promise<void> | undefined;

  /** The end of stdin, as far as the container allows it (`stdinOnce`). A terminal has none. */
  closeInput(): void;

  /** Sets the terminal's size, in characters. */
  resize(columns: number, rows: number): void;

  /** Detaches; what was written before still arrives. Safe to call twice. */
  close(): void;
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
  readonly #program: readonly Operation[] | undefined;
  readonly #opened = Promise.withResolvers<void>();
  readonly #exited = Promise.withResolvers<Exited>();
  readonly #taker = Promise.withResolvers<void>();
  readonly #id: number;
  #onOutput: OnOutput | undefined;
  #pid = 0;

  /** @param connection belongs to the session from now on */
  constructor(connection: Connection, request: SessionRequest) {
    this.#connection = connection;
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

  onOutput(take: OnOutput): void {
    this.#onOutput = take;
    this.#taker.resolve();
  }

  write(data: Uint8Array): Promise<void> | undefined {
    let waiting: Promise<void> | undefined;
    for (let at = 0; at < data.length; at += maxInput) {
      waiting = this.#connection.send(this.#id, { kind: "input", data: data.subarray(at, at + maxInput) });
    }
    return waiting;
  }

  closeInput(): void {
    void this.#connection.send(this.#id, { kind: "close-input" });
  }

  resize(columns: number, rows: number): void {
    void this.#connection.send(this.#id, { kind: "resize", columns, rows });
  }

  close(): void {
    this.#connection.close(cancelled("Cannot wait for the process: detached from it"));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #take(reply: Reply): Promise<void> | undefined | void {
    switch (reply.kind) {
      case "output":
        return this.#output(reply.stream === 2 ? 2 : 1, reply.data);
      case "done":
        return this.#opened.resolve();
      case "exec-started":
        this.#pid = reply.pid;
        return this.#opened.resolve();
      case "exited": {
        const { kind: _, ...exited } = reply;
        this.#exited.resolve(exited);
        return this.#connection.destroy(cancelled("Cannot use the session: the process has ended"));
      }
      case "failed":
        return this.#connection.destroy(failure(reply, this.#program, "attach to the container"));
      case "executed":
      case "created":
      case "status-is":
      case "found":
      case "found-data":
      case "found-end":
        throw internal(`Cannot use "${reply.kind}" from the monitor: it was not asked for`);
    }
  }

  #output(stream: 1 | 2, data: Uint8Array): Promise<void> | undefined | void {
    const take = this.#onOutput;
    return take === undefined ? this.#outputLater(stream, data) : take(stream, data);
  }

  async #outputLater(stream: 1 | 2, data: Uint8Array): Promise<void> {
    await this.#taker.promise;
    await this.#onOutput?.(stream, data);
  }
}
