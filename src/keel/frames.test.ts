import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeFrame, FrameReader } from "./frames.ts";

interface Plain {
  readonly request: number;
  readonly kind: number;
  readonly data: readonly number[];
}

function raw({ request, kind, data }: Plain): Uint8Array {
  const bytes = new Uint8Array(14 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 10 + data.length, true);
  view.setUint32(4, request, true);
  view.setUint16(8, kind, true);
  view.setUint32(10, data.length, true);
  bytes.set(data, 14);
  return bytes;
}

function collect(reader: FrameReader, chunks: Iterable<Uint8Array>): Plain[] {
  const frames: Plain[] = [];
  for (const chunk of chunks) {
    for (const { request, kind, body } of reader.push(chunk)) frames.push({ request, kind, data: [...body.bytes()] });
  }
  return frames;
}

test("FrameReader gives the same frames however the stream is cut", () => {
  const frame = fc.record({
    request: fc.nat(0xffffffff),
    kind: fc.nat(0xffff),
    data: fc.array(fc.nat(255), { maxLength: 40 }),
  });
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 12 }), fc.array(fc.nat(60), { maxLength: 60 }), (frames, cuts) => {
      const stream = new Uint8Array(frames.flatMap((plain) => [...raw(plain)]));
      const chunks: Uint8Array[] = [];
      let at = 0;
      for (const size of cuts) {
        chunks.push(stream.subarray(at, at + size));
        at = Math.min(at + size, stream.length);
      }
      chunks.push(stream.subarray(at));
      const reader = new FrameReader();
      expect(collect(reader, chunks)).toEqual(frames);
      expect(reader.atBoundary).toBe(true);
    }),
  );
});

test("FrameReader copies a frame of many chunks once", () => {
  const data = new Uint8Array(4 << 20).fill(7);
  const stream = encodeFrame(3, { kind: "input", data });
  const reader = new FrameReader();
  const seen: number[] = [];
  const begun = performance.now();
  for (let at = 0; at < stream.length; at += 512) {
    for (const { body } of reader.push(stream.subarray(at, at + 512))) seen.push(body.bytes().length);
  }
  expect(seen).toEqual([data.length]);
  // Quadratic copying of 8192 chunks would move 16 GiB.
  expect(performance.now() - begun).toBeLessThan(1000);
});

test("FrameReader.atBoundary is false inside a frame", () => {
  const stream = encodeFrame(1, { kind: "status" });
  const reader = new FrameReader();
  const states = [...stream].map((byte) => {
    const frames = [...reader.push(Uint8Array.of(byte))].length;
    return [frames, reader.atBoundary];
  });
  expect(states).toEqual([...Array.from({ length: stream.length - 1 }, () => [0, false]), [1, true]]);
});

test.each([0, 5, 101, 0xffffffff])("FrameReader refuses length %i", (length) => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, length, true);
  expect(() => [...new FrameReader(100).push(bytes)]).toThrow(
    expect.objectContaining({
      code: "internal",
      message: `Cannot read a frame from keel: its length is ${length}`,
    }),
  );
});

test("encodeFrame() writes length, request, kind and fields", () => {
  expect([...encodeFrame(0x01020304, { kind: "resize", columns: 80, rows: 24 })]).toEqual([
    14, 0, 0, 0, 4, 3, 2, 1, 14, 0, 80, 0, 0, 0, 24, 0, 0, 0,
  ]);
});

test("encodeFrame() refuses a frame that keel would refuse", () => {
  const data = new Uint8Array(8 * 1024 * 1024);
  expect(() => encodeFrame(1, { kind: "input", data })).toThrow(
    expect.objectContaining({
      code: "invalid-argument",
      message: 'Cannot send "input" to keel: 8388618 bytes exceed 8388608',
    }),
  );
});
