import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codes, decodeMessage, ednsOf, encodeMessage, ednsRecord } from "./message.ts";
import { makeBody, prohibited, readQuery, reply } from "./query.ts";
import { types, type DnsRecord } from "./record.ts";
import { query, queryBytes } from "./testing/query.ts";

/** What is answered without looking further: the code, `none` for nothing, `read` for a question. */
function outcome(bytes: Uint8Array): string | number {
  const read = readQuery(bytes);
  if (read === undefined) return "none";
  if ("query" in read) return "read";
  const message = decodeMessage(read.reply);
  return (message.flags & 15) | ((ednsOf(message)?.extendedCode ?? 0) << 4);
}

const changed = (at: number, value: number, bytes = queryBytes("www.example.com")): Uint8Array => {
  bytes[at] = value;
  return bytes;
};
const records = (count: number): DnsRecord[] =>
  Array.from({ length: count }, (_, n) => ({
    name: "www.example.com",
    type: types.A,
    class: 1,
    ttl: 60,
    data: [Uint8Array.of(192, 0, 2, n)],
  }));

describe("readQuery()", () => {
  it("reads questions, and answers by a code what is none that is understood", () => {
    expect(outcome(queryBytes("www.example.com"))).toBe("read");
    // An answer, a notification, two questions, none, half of one, and a name that leads to itself.
    expect(outcome(changed(2, 0x81))).toBe("none");
    expect(outcome(changed(2, 0x20))).toBe(codes.notImplemented);
    expect(outcome(changed(5, 2))).toBe(codes.formatError);
    expect(outcome(changed(5, 0))).toBe(codes.formatError);
    expect(outcome(queryBytes("www.example.com").subarray(0, 25))).toBe(codes.formatError);
    expect(outcome(changed(13, 12, changed(12, 0xc0)))).toBe(codes.formatError);
    expect(outcome(new Uint8Array(11))).toBe("none");
    const edns = ednsRecord({ size: 512, version: 1, dnssec: false, extendedCode: 0, options: new Uint8Array() });
    const later = decodeMessage(queryBytes("www.example.com"));
    expect(outcome(encodeMessage({ ...later, additionals: [edns] }))).toBe(codes.badVersion);
    expect(query("WWW.example.com", { dnssec: true, size: 100 })).toMatchObject({
      asked: "WWW.example.com",
      name: "www.example.com",
      edns: { size: 512, dnssec: true },
    });
  });

  it("answers any bytes with a message, or with nothing", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => void outcome(bytes)),
      { numRuns: 2000 },
    );
  });
});

describe("reply()", () => {
  it("is whole where it fits, and else nothing but a mark, so that the client asks by TCP", () => {
    const plain = query("www.example.com");
    const body = makeBody(plain, 0, { answers: records(40) });
    const small = decodeMessage(reply(plain, body, { stream: false }));
    expect([small.flags & 0x0200, small.answers]).toEqual([0x0200, []]);
    expect(decodeMessage(reply(plain, body, { stream: true })).answers).toEqual(records(40));
    const large = query("www.example.com", { size: 4096 });
    expect(decodeMessage(reply(large, body, { stream: false })).answers).toEqual(records(40));
    // More than passes a network in one piece, whatever the client says.
    const huge = makeBody(plain, 0, { answers: records(100) });
    const cut = decodeMessage(reply(large, huge, { stream: false }));
    expect([cut.flags & 0x0200, cut.answers, cut.additionals.length]).toEqual([0x0200, [], 1]);
  });

  it("says why, to those who understand", () => {
    const reason = { code: prohibited, text: "no" };
    const asked = query("www.example.com", { size: 1232 });
    const told = decodeMessage(reply(asked, makeBody(asked, codes.noSuchName), { stream: false, reason }));
    expect(ednsOf(told)?.options).toEqual(Uint8Array.of(0, 15, 0, 4, 0, 18, 0x6e, 0x6f));
    const plain = query("www.example.com");
    expect(decodeMessage(reply(plain, makeBody(plain, 3), { stream: false, reason })).additionals).toEqual([]);
  });
});
