/** A container of a daemon. */
import { isSampanError } from "#errdefs";
import type {
  Attachment,
  AttachOptions,
  ContainerDetails,
  ContainerHandle,
  ContainerOptions,
  ContainerSummary,
  ExecOptions,
  ExecSession,
  ExitStatus,
  LogEntry,
  LogOptions,
  ProcessTable,
  RemoveOptions,
  StartOptions,
  StopOptions,
  UpdateOptions,
  WaitCondition,
} from "#engine";
import { toMessage, toPlain } from "../codec/plain.ts";
import {
  ContainerSummarySchema,
  ExitStatusSchema,
  UpdateOptionsSchema,
  type ContainerSummary as Summary,
} from "../gen/sampan/v1/containers_pb.ts";
import type { DaemonConnection } from "./connection.ts";
import { RemoteSession } from "./session.ts";

/** @throws Error when the daemon leaves the container out of its answer */
export function plainSummary(message: Summary | undefined): ContainerSummary {
  return toPlain(ContainerSummarySchema, message as Summary) as unknown as ContainerSummary;
}

export class RemoteContainer implements ContainerHandle {
  readonly #daemon: DaemonConnection;
  readonly id: string;
  readonly name: string;
  readonly options: ContainerOptions;

  /** Use `EngineClient.create`, `run` or `get`. */
  constructor(daemon: DaemonConnection, { id, name }: ContainerSummary, options: ContainerOptions) {
    this.#daemon = daemon;
    this.id = id;
    this.name = name;
    this.options = options;
  }

  async summary(): Promise<ContainerSummary> {
    return plainSummary((await this.#daemon.containers.get({ container: this.id })).container);
  }

  async inspect(): Promise<ContainerDetails> {
    const { details } = await this.#daemon.containers.inspect({ container: this.id });
    return details as unknown as ContainerDetails;
  }

  async start(options: StartOptions & { readonly attach: NonNullable<StartOptions["attach"]> }): Promise<Attachment>;
  async start(options?: StartOptions): Promise<Attachment | undefined>;
  async start({ attach }: StartOptions = {}): Promise<Attachment | undefined> {
    if (attach !== undefined) return this.#open({ ...attach, start: true });
    await this.#daemon.containers.start({ container: this.id });
    return undefined;
  }

  async attach({ stdin, output }: AttachOptions): Promise<Attachment> {
    return this.#open({ stdin, output, start: false });
  }

  async #open(
    options: AttachOptions & {
      readonly start: boolean;
      readonly size?: { readonly columns: number; readonly rows: number };
    },
  ): Promise<Attachment> {
    return RemoteSession.open({ container: this.id, ...options }, (messages, signal) =>
      this.#daemon.containers.attach(messages, { signal }),
    );
  }

  async exec(options: ExecOptions): Promise<ExecSession> {
    const { command, env = [], output, ...others } = options;
    const open = { container: this.id, command: [...command], env: [...env], detach: output === false, ...others };
    return RemoteSession.open(open, (messages, signal) => this.#daemon.containers.exec(messages, { signal }));
  }

  async wait({
    signal,
    condition = "not-running",
  }: { readonly signal?: AbortSignal; readonly condition?: WaitCondition } = {}): Promise<ExitStatus> {
    const { exit } = await this.#daemon.containers.wait({ container: this.id, condition }, callOptions(signal));
    return toPlain(ExitStatusSchema, exit as never) as unknown as ExitStatus;
  }

  async kill(signal = "KILL"): Promise<void> {
    await this.#daemon.containers.kill({ container: this.id, signal });
  }

  async stop(options: StopOptions = {}): Promise<void> {
    await this.#daemon.containers.stop({ container: this.id, ...options });
  }

  async restart(options: StopOptions = {}): Promise<void> {
    await this.#daemon.containers.restart({ container: this.id, ...options });
  }

  async pause(): Promise<void> {
    await this.#daemon.containers.pause({ container: this.id });
  }

  async unpause(): Promise<void> {
    await this.#daemon.containers.unpause({ container: this.id });
  }

  async rename(name: string): Promise<void> {
    await this.#daemon.containers.rename({ container: this.id, name });
  }

  async update(options: UpdateOptions): Promise<readonly string[]> {
    const message = toMessage(UpdateOptionsSchema, options);
    return (await this.#daemon.containers.update({ container: this.id, options: message })).warnings;
  }

  async top(options: readonly string[] = []): Promise<ProcessTable> {
    const { titles, processes } = await this.#daemon.containers.top({ container: this.id, options: [...options] });
    return { titles, processes: processes.map(({ values }) => values) };
  }

  async noteDetached(): Promise<void> {
    await this.#daemon.containers.noteDetached({ container: this.id });
  }

  async *logs({ signal, ...options }: LogOptions = {}): AsyncGenerator<LogEntry, void, void> {
    const responses = this.#daemon.containers.logs({ container: this.id, ...options }, callOptions(signal));
    try {
      for await (const { entries } of responses)
        for (const { time, stream, partial, text } of entries)
          yield { time, stream: stream === 2 ? "stderr" : "stdout", complete: !partial, text };
    } catch (error) {
      // Who follows a log no more has all that was wanted of it.
      if (signal?.aborted !== true) throw error;
    }
  }

  async remove({ force = false, volumes = false }: RemoveOptions = {}): Promise<void> {
    await this.#daemon.containers.remove({ container: this.id, force, volumes });
  }

  async removeIfThere(options: RemoveOptions = {}): Promise<void> {
    try {
      await this.remove(options);
    } catch (error) {
      if (isSampanError(error, "not-found")) return;
      if (isSampanError(error, "failed-precondition") && !(await this.#isThere())) return;
      throw error;
    }
  }

  async #isThere(): Promise<boolean> {
    try {
      await this.#daemon.containers.get({ container: this.id });
      return true;
    } catch (error) {
      if (isSampanError(error, "not-found")) return false;
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.removeIfThere({ force: true, volumes: true });
  }
}

export function callOptions(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
