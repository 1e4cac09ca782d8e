/** This process' stdio, connected to a process in a container. */
import { Socket } from "node:net";
import type { Attachment } from "#keel";
import { defaultDetachKeys, DetachKeys } from "./detach-keys.ts";

/** How the connection ended. */
export type Ending = { readonly kind: "exited"; readonly status: number } | { readonly kind: "detached" };

export interface ConnectOptions {
  /** Send this process' stdin. */
  readonly stdin: boolean;
  /** The process has a terminal: raw mode, window size, detach keys. */
  readonly tty: boolean;
  /** Keys by which the user may leave it; ctrl-p ctrl-q when undefined, none when false. */
  readonly detachKeys?: readonly number[] | false;
  /** Signals that are passed on, by calling this. */
  readonly onSignal?: (signal: NodeJS.Signals) => void;
}

const forwarded: readonly NodeJS.Signals[] = [
  "SIGINT",
  "SIGTERM",
  "SIGHUP",
  "SIGQUIT",
  "SIGUSR1",
  "SIGUSR2",
  "SIGCONT",
];

/** What comes after the process' end is of no use to anybody. */
const ignore = (): void => undefined;

/** Output of the container to this process' own. */
const toOwnOutput = (stream: 1 | 2, data: Uint8Array): Promise<void> | undefined =>
  write(stream === 2 ? process.stderr : process.stdout, data);

/** Puts this process' terminal into raw mode, where the container's own does what a terminal does; until disposed of. */
export function rawTerminal(wanted: boolean): Disposable {
  const raw = wanted && process.stdin.isTTY;
  if (raw) {
    process.stdin.setRawMode(true);
    // Node's raw mode still turns each newline into two characters; the container's terminal has done that already.
    // Leaving raw mode sets all of it back.
    process
      .getBuiltinModule("node:child_process")
      .spawnSync("stty", ["-opost"], { stdio: ["inherit", "ignore", "ignore"] });
  }
  return { [Symbol.dispose]: () => void (raw && process.stdin.setRawMode(false)) };
}

/** Size of this process' terminal, for the container's; nothing where there is none. */
export function terminalSize(): { readonly columns: number; readonly rows: number } | undefined {
  const { isTTY, columns, rows } = process.stdout;
  return isTTY ? { columns, rows } : undefined;
}

/** Resolves when the process has ended and all output was written, or the user detached. */
export async function connect(attachment: Attachment, options: ConnectOptions): Promise<Ending> {
  const cleanUp: (() => void)[] = [];
  attachment.onOutput(toOwnOutput);
  try {
    if (options.onSignal !== undefined)
      for (const signal of forwarded) {
        const handler = (): void => options.onSignal?.(signal);
        process.on(signal, handler);
        cleanUp.push(() => process.off(signal, handler));
      }
    const terminal = options.tty && process.stdin.isTTY;
    if (options.tty && process.stdout.isTTY) {
      const resize = (): void => attachment.resize(process.stdout.columns, process.stdout.rows);
      // It may have changed since the container was started.
      resize();
      process.on("SIGWINCH", resize);
      cleanUp.push(() => process.off("SIGWINCH", resize));
    }
    const detached = options.stdin
      ? sendInput(attachment, terminal ? (options.detachKeys ?? defaultDetachKeys) : false, cleanUp)
      : undefined;
    const exited = attachment.exited.then((e): Ending => ({ kind: "exited", status: e.status }));
    return await (detached === undefined ? exited : Promise.race([exited, detached]));
  } finally {
    for (const action of cleanUp) action();
    attachment.close();
  }
}

/** Resolves only when the user types the detach keys. */
function sendInput(
  attachment: Attachment,
  detachKeys: readonly number[] | false,
  cleanUp: (() => void)[],
): Promise<Ending> {
  const { stdin } = process;
  return new Promise((resolve) => {
    const keys = detachKeys === false ? undefined : new DetachKeys(detachKeys);
    const onData = (chunk: Buffer): void => {
      let data: Uint8Array = chunk;
      if (keys !== undefined) {
        const found = keys.take(chunk);
        data = found.data;
        if (found.detach) resolve({ kind: "detached" });
      }
      if (data.length === 0) return;
      const pending = attachment.write(data);
      if (pending === undefined) return;
      stdin.pause();
      void pending.then(() => stdin.resume(), ignore);
    };
    const onEnd = (): void => attachment.closeInput();
    stdin.on("data", onData);
    stdin.on("end", onEnd);
    // A stdin that can't be read (closed by the shell) is one that has ended.
    stdin.on("error", onEnd);
    cleanUp.push(() => {
      stdin.off("data", onData);
      stdin.off("end", onEnd);
      stdin.off("error", onEnd);
      stdin.pause();
      // An open terminal or pipe must not keep this process from ending; a file doesn't, and isn't a socket.
      if (stdin instanceof Socket) stdin.unref();
    });
  });
}

/** Writes to this process' output; the promise resolves when more can be written. A reader that has gone is no failure. */
export function write(stream: NodeJS.WriteStream, data: Uint8Array): Promise<void> | undefined {
  if (stream.destroyed || stream.writableEnded || stream.write(data)) return undefined;
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off("drain", done);
      stream.off("close", done);
      stream.off("error", done);
      resolve();
    };
    stream.on("drain", done);
    stream.on("close", done);
    stream.on("error", done);
  });
}
