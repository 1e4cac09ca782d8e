import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSampanError } from "#errdefs";
import { decodeMessage, ednsOf, ednsRecord, encodeMessage, type Message } from "./message.ts";
import { labelsOf, readName, writeName } from "./name.ts";
import { types, type DnsRecord } from "./record.ts";
import { MessageWriter } from "./writer.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
const refused = (bytes: Uint8Array): string => {
  try {
    decodeMessage(bytes);
  } catch (error) {
    if (isSampanError(error, "invalid-argument")) return error.message;
    throw error;
  }
  return "was read";
};

const label = fc
  .uint8Array({ minLength: 1, maxLength: 20 })
  .map((bytes) => readName(Uint8Array.of(bytes.length, ...bytes, 0), 0).name);
const name = fc.array(label, { maxLength: 6 }).map((labels) => labels.join("."));
const u16 = fc.integer({ min: 0, max: 65_535 });
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const bytesOf = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const shapes: readonly (readonly [number, ...fc.Arbitrary<string | Uint8Array>[]])[] = [
  [types.A, bytesOf(4)],
  [types.AAAA, bytesOf(16)],
  [types.CNAME, name],
  [types.PTR, name],
  [types.MX, bytesOf(2), name],
  [types.SRV, bytesOf(6), name],
  [types.SOA, name, name, bytesOf(20)],
  [types.NAPTR, bytesOf(4).map((b) => Uint8Array.of(...b, 1, 0x75, 0, 2, 1, 2)), name],
  [types.TXT, fc.uint8Array({ minLength: 1, maxLength: 300 })],
  [types.HTTPS, fc.uint8Array({ minLength: 1, maxLength: 60 })],
  [65_280, fc.uint8Array({ minLength: 1, maxLength: 60 })],
];
const record: fc.Arbitrary<DnsRecord> = fc
  .constantFrom(...shapes)
  .chain(([type, ...data]) =>
    fc.record({ name, type: fc.constant(type), class: u16, ttl: u32, data: fc.tuple(...data) }),
  );
const message: fc.Arbitrary<Message> = fc.record({
  id: u16,
  flags: u16,
  questions: fc.array(fc.record({ name, type: u16, class: u16 }), { maxLength: 2 }),
  answers: fc.array(record, { maxLength: 6 }),
  authorities: fc.array(record, { maxLength: 2 }),
  additionals: fc.array(record, { maxLength: 2 }),
});

describe("encodeMessage() and decodeMessage()", () => {
  it("are inverse to each other", () => {
    fc.assert(
      fc.property(message, (value) => {
        expect(decodeMessage(encodeMessage(value))).toEqual(value);
      }),
    );
  });

  it("write names that were there before as pointers", () => {
    const question = { name: "Web.example.com", type: types.MX, class: 1 };
    const bytes = encodeMessage({
      id: 0x1234,
      flags: 0x8180,
      questions: [question],
      answers: [{ ...question, ttl: 60, data: [Uint8Array.of(0, 10), "mail.example.com"] }],
      authorities: [],
      additionals: [
        { name: "mail.example.com", type: types.A, class: 1, ttl: 60, data: [Uint8Array.of(192, 0, 2, 1)] },
      ],
    });
    expect(Buffer.from(bytes).toString("hex")).toBe(
      `123481800001000100000001 03576562076578616d706c6503636f6d00000f0001 c00c000f00010000003c0009000a046d61696cc010
       c02f000100010000003c0004c0000201`.replaceAll(/\s/g, ""),
    );
  });

  it("reads an answer with aliases, compressed, and an OPT with a cookie", () => {
    const bytes = hex(`
      af5a 8580 0001 0003 0000 0001 0361 6161 0474 6573 7400 0001 0001 c00c 0005 0001 0000 0e10 0006 0362 6262 c010
      c026 0005 0001 0000 0e10 0006 0363 6363 c010 c038 0001 0001 0000 0e10 0004 c000 0207
      0000 2904 d000 0000 0000 1c 000a 0018 0102 0304 0506 0708 0100 0000 6700 0000 1122 3344 5566 7788`);
    const read = decodeMessage(bytes);
    expect([read.questions, read.answers]).toEqual([
      [{ name: "aaa.test", type: 1, class: 1 }],
      [
        { name: "aaa.test", type: 5, class: 1, ttl: 3600, data: ["bbb.test"] },
        { name: "bbb.test", type: 5, class: 1, ttl: 3600, data: ["ccc.test"] },
        { name: "ccc.test", type: 1, class: 1, ttl: 3600, data: [Uint8Array.of(192, 0, 2, 7)] },
      ],
    ]);
    expect(ednsOf(read)).toMatchObject({ size: 1232, version: 0, dnssec: false, extendedCode: 0 });
    expect(encodeMessage(read)).toEqual(bytes);
  });

  it("refuses what is malformed, and never hangs, on any bytes and any change of a message", () => {
    const cases: Record<string, string> = {
      "1234": "it is shorter than its header",
      "000000000001000000000000": "a name goes beyond its end",
      // A pointer to itself, one forwards, and two that point to each other.
      "000000000001000000000000c00c00010001": "a name points forwards",
      "000000000001000000000000c00e000000010001": "a name points forwards",
      "000000000001000000000000016100c00e c00c00010001": "something follows its end",
      "00000000000100000000000041": "a label has an unknown type",
      "0000000000000000ffff0000": "it has fewer records than it says",
      "000000000000000100000000 00000100010000000000050102030405": "a record of type 1 has a wrong length",
      "000000000000000100000000 000001000100000000ffff01020304": "a record goes beyond its end",
      "000000000001000000000000 0000010001ff": "something follows its end",
    };
    for (const [bytes, why] of Object.entries(cases))
      expect([bytes, refused(hex(bytes))]).toEqual([bytes, `Cannot use a DNS message: ${why}`]);
    const long = `000000000001000000000000${"3f".padEnd(128, "61").repeat(4)}0000010001`;
    expect(refused(hex(long))).toBe("Cannot use a DNS message: a name is longer than 255 bytes");
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => void refused(bytes)));
    fc.assert(
      fc.property(
        message,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
        fc.nat(),
        (value, changes, cut) => {
          const bytes = encodeMessage(value);
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
          refused(bytes);
          refused(bytes.subarray(0, cut % bytes.length));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("reads a chain of pointers as long as a message in no time", () => {
    // Each pointer leads to the one before it: the name is read once, and not once for each.
    const bytes = new Uint8Array(65_535);
    bytes[5] = 1;
    bytes[12] = 0;
    for (let at = 13; at + 2 <= 0x3fff; at += 2)
      new DataView(bytes.buffer).setUint16(at, 0xc000 | (at - (at === 13 ? 1 : 2)));
    expect(readName(bytes, 0x3ffb)).toEqual({ name: "", end: 0x3ffd });
  });
});

describe("writeName()", () => {
  it("refuses text that is no name", () => {
    for (const text of [".", "a..b", ".a", "a.", "a b", "a\\999", "ü", "a\\", "x".repeat(64), "abcdefg.".repeat(32)])
      expect(() => writeName(new MessageWriter(), text, true), text).toThrow("Cannot use a DNS message");
  });

  it("knows a dot in a label from one between labels", () => {
    const bytes = Uint8Array.of(3, 0x61, 0x2e, 0x62, 1, 0x63, 0);
    const { name } = readName(bytes, 0);
    expect([name, labelsOf(name)]).toEqual(["a\\.b.c", ["a\\.b", "c"]]);
    const out = new MessageWriter();
    writeName(out, name, true);
    expect(out.finish()).toEqual(bytes);
  });
});

describe("ednsRecord()", () => {
  it("is what ednsOf() reads", () => {
    const edns = { size: 1232, version: 3, dnssec: true, extendedCode: 1, options: hex("000a0002beef") };
    const empty = { id: 0, flags: 0, questions: [], answers: [], authorities: [] };
    expect(ednsOf(decodeMessage(encodeMessage({ ...empty, additionals: [ednsRecord(edns)] })))).toEqual(edns);
  });
});
