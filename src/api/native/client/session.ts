/** A process in a container that a daemon is attached to. */
import { cancelled, unavailable } from "#errdefs";
import type { ExecSession, Exited, OnOutput } from "#engine";
import { Handoff } from "../codec/handoff.ts";
import type { SessionResponse, Size } from "../gen/sampan/v1/containers_pb.ts";

/** Bytes of input that may wait for the connection before a writer should. */
const maxWaiting = 256 * 1024;
/** Most bytes of input in one message. */
const maxInput = 64 * 1024;

export type SessionMessage<Open> =
  | { readonly case: "open"; readonly value: Open }
  | { readonly case: "input"; readonly value: Uint8Array }
  | { readonly case: "closeInput"; readonly value: boolean }
  | { readonly case: "resize"; readonly value: Pick<Size, "columns" | "rows"> };

/** Makes the call: messages in, responses out, until the signal. */
type Call<Open> = (
  messages: AsyncIterable<{ readonly message: SessionMessage<Open> }>,
  signal: AbortSignal,
) => AsyncIterable<SessionResponse>;

export class RemoteSession<Open> implements ExecSession {
  readonly exited: Promise<Exited>;
  readonly #exited = Promise.withResolvers<Exited>();
  readonly #opened = Promise.withResolvers<void>();
  readonly #taker = Promise.withResolvers<void>();
  readonly #input = new Handoff<{ readonly message: SessionMessage<Open> }>(maxWaiting);
  readonly #abort = new AbortController();
  #onOutput: OnOutput | undefined;
  #pid = 0;

  private constructor(open: Open, call: Call<Open>) {
    this.exited = this.#exited.promise;
    // Whoever is not interested in the end must not be ended by it.
    this.exited.catch(() => undefined);
    this.#opened.promise.catch(() => undefined);
    void this.#input.put({ message: { case: "open", value: open } }, 0);
    void this.#run(call);
  }

  /** Resolves when the daemon is attached, or the process runs. */
  static async open<Open>(open: Open, call: Call<Open>): Promise<RemoteSession<Open>> {
    const session = new RemoteSession(open, call);
    await session.#opened.promise;
    return session;
  }

  async #run(call: Call<Open>): Promise<void> {
    try {
      for await (const { message } of call(this.#input, this.#abort.signal)) {
        if (message.case === "opened") {
          this.#pid = message.value.pid;
          this.#opened.resolve();
        } else if (message.case === "output") {
          if (this.#onOutput === undefined) await this.#taker.promise;
          await this.#onOutput?.(message.value.stream === 2 ? 2 : 1, message.value.data);
        } else if (message.case === "exited") {
          const { status, signal, oomKilled, seconds, nanoseconds } = message.value;
          this.#exited.resolve({ status, signal, oomKilled, seconds, nanoseconds });
        }
      }
      this.#settle(unavailable("Cannot follow the process: the daemon ended the session"));
    } catch (error) {
      this.#settle(this.#abort.signal.aborted ? this.#abort.signal.reason : error);
    } finally {
      this.#input.end();
      this.#abort.abort();
    }
  }

  /** Does nothing where that is known already. */
  #settle(error: unknown): void {
    this.#opened.reject(error);
    this.#exited.reject(error);
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
      const part = data.slice(at, at + maxInput);
      waiting = this.#input.put({ message: { case: "input", value: part } }, part.length);
    }
    return waiting;
  }

  closeInput(): void {
    void this.#input.put({ message: { case: "closeInput", value: true } }, 0);
  }

  resize(columns: number, rows: number): void {
    void this.#input.put({ message: { case: "resize", value: { columns, rows } } }, 0);
  }

  close(): void {
    this.#abort.abort(cancelled("Cannot wait for the process: detached from it"));
    this.#taker.resolve();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
