import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Operation, Reply } from "#plan";
import { decodeReply, encodeOperation, maxFrame } from "../../src/keel/wire.gen.ts";
import { Reader, Writer } from "../../src/keel/wire.ts";
import { binaries, Box } from "../support/keel-box.ts";

/** `keel serve` spoken to byte by byte. */
class RawKeel implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly socket: Socket;
  readonly exited: Promise<unknown>;
  #received = Buffer.alloc(0);

  constructor(binary: string) {
    this.child = spawn(binary, ["serve"], { stdio: ["ignore", "inherit", "inherit", "pipe"] });
    this.socket = this.child.stdio[3] as Socket;
    this.exited = once(this.child, "exit");
    this.socket.on("data", (chunk: Buffer) => (this.#received = Buffer.concat([this.#received, chunk])));
  }

  /** The next reply, with its request id. */
  async next(): Promise<readonly [id: number, reply: Reply | undefined]> {
    for (;;) {
      const buffer = this.#received;
      if (buffer.length >= 4 && buffer.length >= 4 + buffer.readUInt32LE(0)) {
        const end = 4 + buffer.readUInt32LE(0);
        this.#received = buffer.subarray(end);
        return [buffer.readUInt32LE(4), decodeReply(buffer.readUInt16LE(8), new Reader(buffer.subarray(10, end)))];
      }
      await once(this.socket, "data");
    }
  }

  /** Processes that keel has, zombies included. */
  async children(): Promise<string> {
    const pid = this.child.pid;
    return (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await this.exited;
  }
}

function frame(id: number, kind: number, body: (w: Writer) => void): Uint8Array {
  const w = new Writer();
  w.u32(0);
  w.u32(id);
  w.u16(kind);
  body(w);
  w.patchU32(0, w.written.length - 4);
  return w.written.slice();
}

const execute = (id: number, ...program: readonly Operation[]): Uint8Array =>
  frame(id, 1, (w) => {
    w.u32(program.length);
    for (const operation of program) encodeOperation(w, operation);
  });

const malformed = { kind: "failed", step: -1, errno: 71, syscall: "decode", detail: "" };

describe.each(binaries)("%s serve", (_, binary) => {
  it("answers frames that come byte by byte, or many in one write", async () => {
    await using keel = new RawKeel(binary);
    for (const byte of execute(7, { op: "host-directory", path: "/", mode: 0o755, uid: 0, gid: 0 }))
      await new Promise((sent) => keel.socket.write(Uint8Array.of(byte), sent));
    expect(await keel.next()).toEqual([7, { kind: "failed", step: 0, errno: 22, syscall: "open", detail: "/" }]);
    keel.socket.write(Buffer.concat(Array.from({ length: 600 }, (__, id) => execute(id))));
    const ids = new Set<number>();
    while (ids.size < 600) {
      const [id, reply] = await keel.next();
      expect(reply).toEqual({ kind: "executed", results: [] });
      ids.add(id);
    }
    expect(await keel.children()).toBe("");
  });

  it("refuses what it cannot decode by its request id, and goes on", async () => {
    await using keel = new RawKeel(binary);
    const bad: readonly (readonly [id: number, data: Uint8Array])[] = [
      [1, frame(1, 1, (w) => w.u32(1))], // an operation is missing
      [2, frame(2, 1, (w) => w.u32(0xffff_ffff))], // more than can be there
      [3, frame(3, 9999, () => undefined)], // no such message
      [4, frame(4, 10, () => undefined)], // a monitor's message
      [5, Buffer.concat([execute(5).fill(13, 0, 1), Uint8Array.of(0, 0, 0)])], // bytes behind the end
      [0, Uint8Array.of(0, 0, 0, 0)], // nothing at all
      [0, Uint8Array.of(3, 0, 0, 0, 1, 2, 3)], // less than an id
      [6, frame(6, 1, (w) => [w.u32(1), w.u16(64), w.u32(2), w.u8(65), w.u8(0), w.u8(0)])], // NUL in a string
    ];
    for (const [id, data] of bad) {
      keel.socket.write(data);
      expect(await keel.next()).toEqual([id, malformed]);
    }
    keel.socket.write(execute(8));
    expect(await keel.next()).toEqual([8, { kind: "executed", results: [] }]);
  });

  it("takes a frame of the largest size", async () => {
    await using keel = new RawKeel(binary);
    const fixed = execute(1, { op: "write-file", path: "/none", data: "", tolerate: true }).length - 4;
    keel.socket.write(
      execute(1, { op: "write-file", path: "/none", data: "x".repeat(maxFrame - fixed), tolerate: true }),
    );
    expect(await keel.next()).toEqual([1, { kind: "executed", results: [] }]);
    keel.socket.write(execute(2));
    expect(await keel.next()).toEqual([2, { kind: "executed", results: [] }]);
  });

  it("ends after a frame that is too large", async () => {
    await using keel = new RawKeel(binary);
    const head = Buffer.alloc(8);
    head.writeUInt32LE(maxFrame + 1, 0);
    head.writeUInt32LE(9, 4);
    keel.socket.write(head);
    expect(await keel.next()).toEqual([9, { kind: "failed", step: -1, errno: 90, syscall: "recv", detail: "" }]);
    expect(await keel.exited).toEqual([1, null]);
  });

  it("a quick program overtakes a slow one", async () => {
    await using keel = new RawKeel(binary);
    await using box = await Box.make(binary);
    const fifo = join(box.base, "fifo");
    await box.keel.execute([
      { op: "root-directory", path: box.base },
      { op: "device", path: "/fifo", mode: 0o010600, major: 0, minor: 0, uid: 0, gid: 0 },
    ]);
    // The slow one waits until somebody reads.
    keel.socket.write(execute(1, { op: "write-file", path: fifo, data: "x", tolerate: false }));
    keel.socket.write(execute(2));
    expect(await keel.next()).toEqual([2, { kind: "executed", results: [] }]);
    expect(await readFile(fifo, "utf8")).toBe("x");
    expect(await keel.next()).toEqual([1, { kind: "executed", results: [] }]);
  });

  it("runs from a sealed copy of itself, and cannot be traced or read by others", async () => {
    await using keel = new RawKeel(binary);
    keel.socket.write(execute(1, { op: "read-file", path: "/proc/self/status", limit: 100_000 }));
    await keel.next();
    const maps = await readFile(`/proc/${keel.child.pid}/maps`, "utf8");
    expect(maps).toContain("/memfd:keel (deleted)");
    expect(maps).not.toContain(binary);
  });

  it("ends when its client goes", async () => {
    const keel = new RawKeel(binary);
    keel.socket.write(execute(1));
    await keel.next();
    await keel[Symbol.asyncDispose]();
    expect(keel.child.exitCode).toBe(0);
  });
});
