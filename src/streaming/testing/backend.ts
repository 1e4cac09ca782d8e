/** A backend without containers: commands that tests can look through. */
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Duplex } from "node:stream";
import { notFound } from "#errdefs";
import type { AttachStream, ExecStream, ProcessStreams, StreamBackend } from "../backend.ts";

export class TestBackend implements StreamBackend {
  readonly sizes: string[] = [];
  readonly aborted = Promise.withResolvers<void>();
  /** Bytes of stdin that were read by `slow`. */
  read = 0;

  async exec({ command, container }: ExecStream, streams: ProcessStreams): Promise<number> {
    const [name = "", argument = ""] = command;
    switch (name) {
      case "cat":
        for await (const part of streams.stdin ?? []) await write(streams, "stdout", part as Buffer);
        return 0;
      case "both":
        await write(streams, "stdout", Buffer.from("out"));
        await write(streams, "stderr", Buffer.from("err"));
        return Number(argument);
      case "zeros":
        for (let left = Number(argument); left > 0; left -= 65_536)
          await write(streams, "stdout", Buffer.alloc(Math.min(left, 65_536)));
        return 0;
      case "sizes":
        for await (const { columns, rows } of streams.resizes) {
          this.sizes.push(`${columns}x${rows}`);
          if (this.sizes.length === Number(argument)) return 0;
        }
        return 1;
      case "slow":
        for await (const part of streams.stdin ?? []) {
          this.read += (part as Buffer).length;
          await delay(1);
        }
        return 0;
      case "never":
        streams.signal.addEventListener("abort", () => this.aborted.resolve());
        if (streams.signal.aborted) this.aborted.resolve();
        await this.aborted.promise;
        return 0;
      default:
        throw notFound(`Cannot execute "${name}" in container "${container}": it is not there`);
    }
  }

  async attach(request: AttachStream, streams: ProcessStreams): Promise<void> {
    await write(streams, "stdout", Buffer.from(`attached to ${request.container}`));
  }

  async connect(pod: string, port: number): Promise<Duplex> {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    await new Promise((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return socket;
  }
}

function write(streams: ProcessStreams, name: "stdout" | "stderr", data: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = streams[name];
    if (stream === undefined) resolve();
    else stream.write(data, (error) => (error === null || error === undefined ? resolve() : reject(error)));
  });
}
