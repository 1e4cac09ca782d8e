/** The client of a monitor, the process that stays with a container. */
import { cancelled, internal } from "#errdefs";
import type { Operation, Reply, ReplyStatusIs, Request } from "#plan";
import { MonitorSession, type Attachment, type ExecSession, type Exited, type SessionRequest } from "./attachment.ts";
import { Connection } from "./connection.ts";
import { failure } from "./failure.ts";
import { connectMonitor } from "./monitor-socket.ts";

export interface AttachOptions {
  /** Whether this client sends input. */
  readonly stdin: boolean;
  /** Whether it wants the output from now on: `onOutput` must then be called for `exited` to come. */
  readonly output: boolean;
}

export interface ExecOptions {
  /** With `join-container`, `clone`, …, `exec`. */
  readonly program: readonly Operation[];
  /** The program has a `terminal` operation. */
  readonly terminal: boolean;
  /** This client sends input; /dev/null otherwise. */
  readonly openStdin: boolean;
  /** Whether this client wants the output, which is thrown away otherwise: `onOutput` must then be called for `exited` to come. */
  readonly output: boolean;
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

/**
 * The client of one monitor. All methods throw `unavailable` once the monitor has gone.
 *
 * Each attachment and each exec'd process has a connection of its own, so that one that is read from slowly holds up nothing
 * else. They outlive the client. The first of them takes the connection over that `connect` made, when that has not been
 * used yet; another is made when it is needed.
 */
export class MonitorClient implements Disposable {
  readonly #directory: string;
  #connection: Connection | undefined;
  #used = false;
  #closed = false;
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
    return new MonitorClient(stateDirectory, await connectTo(stateDirectory));
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
    const reply = await (await this.#main()).ask({ kind: "wait" });
    if (reply.kind !== "exited") throw unexpected(reply, "wait for the container");
    const { kind: _, ...exited } = reply;
    return exited;
  }

  async status(): Promise<MonitorStatus> {
    const reply = await (await this.#main()).ask({ kind: "status" });
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

  /**
   * Goes on in a new log file, after the old one was renamed.
   *
   * @throws SampanError when there is no log or it can't be made; the old one is kept then
   */
  async reopenLog(): Promise<void> {
    await this.#done({ kind: "reopen-log" }, "open the container's log again");
  }

  /** Sets the size of the container's terminal, in characters. */
  async resize(columns: number, rows: number): Promise<void> {
    await (await this.#main()).send(0, { kind: "resize", columns, rows });
  }

  /**
   * Attaches to the container's first process. Before {@link start}, so that nothing of its output is missed.
   *
   * @throws SampanError `failed-precondition` when it uses keel's own stdio
   */
  async attach({ stdin, output }: AttachOptions): Promise<Attachment> {
    return this.#open({ kind: "attach", stdin, output });
  }

  /**
   * Starts another process in the container. It goes on when the session is closed or this client ends.
   *
   * @throws SampanError with the failed operation in `fields`
   */
  async exec({ program, terminal, openStdin, output }: ExecOptions): Promise<ExecSession> {
    return this.#open({ kind: "exec", terminal, openStdin, output, program });
  }

  /** Gives up what is still being asked; sessions go on. Safe to call twice. */
  close(): void {
    this.#closed = true;
    this.#connection?.close(closed());
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #main(): Promise<Connection> {
    this.#used = true;
    if (this.#closed) throw closed();
    return (this.#connection ??= await connectTo(this.#directory));
  }

  async #open(request: SessionRequest): Promise<ExecSession> {
    if (this.#closed) throw closed();
    let connection = this.#used ? undefined : this.#connection;
    if (connection === undefined) connection = await connectTo(this.#directory);
    else this.#connection = undefined;
    const session = new MonitorSession(connection, request);
    await session.opened;
    return session;
  }

  async #done(request: Request, action: string, program?: readonly Operation[]): Promise<void> {
    const reply = await (await this.#main()).ask(request);
    if (reply.kind !== "done") throw unexpected(reply, action, program);
  }
}

async function connectTo(directory: string): Promise<Connection> {
  return new Connection(await connectMonitor(directory));
}

function closed(): Error {
  return cancelled("Cannot use the monitor's client: it is closed");
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
