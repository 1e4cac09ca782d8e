/** The client of a monitor, the process that stays with a container. */
import { cancelled, internal } from "#errdefs";
import type { Operation, Reply, ReplyStatusIs, Request } from "#plan";
import { MonitorSession, type Attachment, type ExecSession, type Exited, type OnOutput } from "./attachment.ts";
import { Connection } from "./connection.ts";
import { failure } from "./failure.ts";
import { connectMonitor } from "./monitor-socket.ts";

export interface AttachOptions {
  /** Whether this client sends input. */
  readonly stdin: boolean;
  /** Takes the output from now on; without it none is sent. */
  readonly onOutput?: OnOutput | undefined;
}

export interface ExecOptions {
  /** With `join-container`, `clone`, …, `exec`. */
  readonly program: readonly Operation[];
  /** The program has a `terminal` operation. */
  readonly terminal: boolean;
  /** This client sends input; /dev/null otherwise. */
  readonly openStdin: boolean;
  /** Takes the output; without it, output is thrown away. */
  readonly onOutput?: OnOutput | undefined;
}

export interface MonitorStatus {
  readonly state: "created" | "running" | "exited";
  /** The container's first process, 0 when it has ended. */
  readonly pid: number;
  /** Running exec'd processes. */
  readonly execs: readonly number[];
}

const states: ReadonlyMap<number, MonitorStatus["state"]> = new Map([
  [1, "created"],
  [2, "running"],
  [3, "exited"],
]);

/** Connected to one monitor. All methods throw `unavailable` once the monitor has gone. */
export class MonitorClient implements Disposable {
  readonly #directory: string;
  readonly #connection: Connection;
  #exited: Promise<Exited> | undefined;

  private constructor(directory: string, connection: Connection) {
    this.#directory = directory;
    this.#connection = connection;
  }

  /**
   * @param stateDirectory the `stateDirectory` that the container was created with
   * @throws SampanError `unavailable` when no monitor is there (any more), `permission-denied`
   */
  static async connect(stateDirectory: string): Promise<MonitorClient> {
    return new MonitorClient(stateDirectory, new Connection(await connectMonitor(stateDirectory)));
  }

  /**
   * Lets the created container run its program.
   *
   * @throws SampanError when it can't be executed; the container has exited then, with status 126 or 127
   */
  async start(program?: readonly Operation[]): Promise<void> {
    await this.#done({ kind: "start" }, "start the container", program);
  }

  /**
   * Waits for the container's end, its exit program included.
   *
   * @param options.signal gives up waiting (`cancelled`)
   */
  async wait(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<Exited> {
    const { signal } = options;
    // All who wait share one request.
    this.#exited ??= this.#wait();
    if (signal === undefined) return this.#exited;
    const aborted = Promise.withResolvers<never>();
    const abort = (): void =>
      aborted.reject(cancelled("Cannot wait for the container: given up", { cause: signal.reason }));
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort);
    try {
      return await Promise.race([this.#exited, aborted.promise]);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  async #wait(): Promise<Exited> {
    const reply = await this.#connection.ask({ kind: "wait" });
    if (reply.kind !== "exited") throw unexpected(reply, "wait for the container");
    const { kind: _, ...exited } = reply;
    return exited;
  }

  async status(): Promise<MonitorStatus> {
    const reply = await this.#connection.ask({ kind: "status" });
    if (reply.kind !== "status-is") throw unexpected(reply, "ask for the container's status");
    return { state: stateOf(reply), pid: reply.pid, execs: reply.execs };
  }

  /**
   * Sends a signal.
   *
   * @param signal its Linux number
   * @param process pid of an exec'd process; the container's first process without it
   * @throws SampanError `failed-precondition` with errno ESRCH when it has ended
   */
  async kill(signal: number, process = 0): Promise<void> {
    await this.#done({ kind: "signal", signal, process }, "signal the process");
  }

  /** Sets the size of the container's terminal, in characters. */
  async resize(columns: number, rows: number): Promise<void> {
    await this.#connection.send(0, { kind: "resize", columns, rows });
  }

  /**
   * Attaches to the container's first process, over a connection of its own. Before {@link start}, so that nothing of its output
   * is missed.
   */
  async attach({ stdin, onOutput }: AttachOptions): Promise<Attachment> {
    return this.#open({ kind: "attach", stdin, output: onOutput !== undefined }, onOutput);
  }

  /**
   * Starts another process in the container. It goes on when the session is detached or this client ends.
   *
   * @throws SampanError with the failed operation in `fields`
   */
  async exec({ program, terminal, openStdin, onOutput }: ExecOptions): Promise<ExecSession> {
    return this.#open({ kind: "exec", terminal, openStdin, output: onOutput !== undefined, program }, onOutput);
  }

  /** Ends this connection; sessions have their own. Safe to call twice. */
  close(): void {
    this.#connection.close(cancelled("Cannot use the monitor's client: it is closed"));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #open(request: Extract<Request, { kind: "attach" | "exec" }>, onOutput: OnOutput | undefined) {
    const session = new MonitorSession(new Connection(await connectMonitor(this.#directory)), request, onOutput);
    await session.opened;
    return session;
  }

  async #done(request: Request, action: string, program?: readonly Operation[]): Promise<void> {
    const reply = await this.#connection.ask(request);
    if (reply.kind !== "done") throw unexpected(reply, action, program);
  }
}

function unexpected(reply: Reply, action: string, program?: readonly Operation[]): Error {
  if (reply.kind === "failed") return failure(reply, program, action);
  return internal(`Cannot ${action}: keel answered "${reply.kind}"`);
}

function stateOf({ state }: ReplyStatusIs): MonitorStatus["state"] {
  const name = states.get(state);
  if (name === undefined) throw internal(`Cannot ask for the container's status: keel answered state ${state}`);
  return name;
}
