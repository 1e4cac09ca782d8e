/** What the streaming server needs of who runs the containers. */
import type { Duplex, Readable, Writable } from "node:stream";

/** Of a terminal, in characters. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** The client's side of a process. */
export interface ProcessStreams {
  /** Ends when the client closes its side. */
  readonly stdin: Readable | undefined;
  readonly stdout: Writable | undefined;
  /** Undefined with a terminal. */
  readonly stderr: Writable | undefined;
  /** The sizes that the client's terminal takes, only with a terminal. */
  readonly resizes: AsyncIterable<TerminalSize>;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
}

export interface ExecStream {
  readonly kind: "exec";
  readonly container: string;
  readonly command: readonly string[];
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

export interface AttachStream {
  readonly kind: "attach";
  readonly container: string;
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

export interface PortForwardStream {
  readonly kind: "portforward";
  readonly pod: string;
  /** Those that were asked for at first; clients of SPDY name the port with each connection. */
  readonly ports: readonly number[];
}

export type StreamRequest = ExecStream | AttachStream | PortForwardStream;

export interface StreamBackend {
  /** Runs a command until its end; gives its exit code. */
  exec(request: ExecStream, streams: ProcessStreams): Promise<number>;
  /** Attaches until the container ends or the client leaves. */
  attach(request: AttachStream, streams: ProcessStreams): Promise<void>;
  /** Connects to a TCP port in the pod's network namespace. */
  connect(pod: string, port: number, signal: AbortSignal): Promise<Duplex>;
}
