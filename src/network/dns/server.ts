/** Questions by UDP and TCP to a responder, and its answers back. */
import type { Socket as UdpSocket } from "node:dgram";
import type { Server, Socket } from "node:net";
import { readQuery } from "./query.ts";
import type { Client, Responder } from "./responder.ts";
import type { Listener } from "./sockets.ts";

/** Limits of connections: of all, of one client, of what one asks before it is answered; milliseconds without a question. */
const limits = { connections: 256, ofOne: 32, pending: 16, idle: 10_000 };

export class NameServer {
  readonly #responder: Responder;
  /** By client. */
  readonly #connections = new Map<string, number>();
  #count = 0;

  constructor(responder: Responder) {
    this.#responder = responder;
  }

  serve({ udp, tcp }: Listener): void {
    this.#serveUdp(udp);
    this.#serveTcp(tcp);
  }

  #answer(bytes: Uint8Array, client: Client): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const read = readQuery(bytes);
    if (read === undefined) return undefined;
    return "reply" in read ? read.reply : this.#responder.respond(read.query, client);
  }

  #serveUdp(socket: UdpSocket): void {
    const send = (answer: Uint8Array | undefined, port: number, address: string): void => {
      // The client may have gone.
      if (answer !== undefined) socket.send(answer, port, address, ignore);
    };
    socket.on("message", (bytes, { address, port }) => {
      const answer = this.#answer(bytes, { address, stream: false });
      if (!(answer instanceof Promise)) send(answer, port, address);
      else void answer.then((later) => send(later, port, address), ignore);
    });
    // A packet that could not be sent, and that the kernel reports later.
    socket.on("error", ignore);
  }

  #serveTcp(server: Server): void {
    server.on("connection", (socket: Socket) => {
      const address = socket.remoteAddress ?? "";
      const count = this.#connections.get(address) ?? 0;
      if (count >= limits.ofOne || this.#count >= limits.connections) {
        socket.destroy();
        return;
      }
      this.#count += 1;
      this.#connections.set(address, count + 1);
      socket.on("error", ignore);
      socket.on("close", () => {
        this.#count -= 1;
        const left = (this.#connections.get(address) ?? 1) - 1;
        if (left === 0) this.#connections.delete(address);
        else this.#connections.set(address, left);
      });
      this.#converse(socket, { address, stream: true });
    });
    server.on("error", ignore);
  }

  /** Several questions may be on their way; answers go back in any order (RFC 7766, section 6.2.1.1). */
  #converse(socket: Socket, client: Client): void {
    let heard: Buffer = Buffer.alloc(0);
    let pending = 0;
    const give = (answer: Uint8Array | undefined): void => {
      if (answer === undefined) socket.destroy();
      if (answer === undefined || socket.destroyed) return;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(answer.length);
      socket.write(Buffer.concat([length, answer]), () => {
        pending -= 1;
        if (socket.isPaused()) socket.resume();
        take();
      });
    };
    const take = (): void => {
      while (pending < limits.pending && heard.length >= 2) {
        const end = 2 + heard.readUInt16BE(0);
        if (heard.length < end) return;
        const question = heard.subarray(2, end);
        heard = heard.subarray(end);
        pending += 1;
        void Promise.resolve(this.#answer(question, client)).then(give, () => socket.destroy());
      }
      // Whoever asks faster than he reads waits.
      if (pending >= limits.pending) socket.pause();
    };
    socket.setTimeout(limits.idle, () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      heard = heard.length === 0 ? chunk : Buffer.concat([heard, chunk]);
      take();
    });
  }
}

const ignore = (): void => undefined;
