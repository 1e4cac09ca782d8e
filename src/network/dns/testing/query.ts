/** Questions for tests. */
import { bits, ednsRecord, encodeMessage } from "../message.ts";
import { readQuery, type Query } from "../query.ts";
import { types } from "../record.ts";

export interface QueryOptions {
  readonly type?: number;
  readonly class?: number;
  readonly dnssec?: boolean;
  /** Of EDNS, bytes. */
  readonly size?: number;
}

/** A question's bytes. */
export function queryBytes(
  name: string,
  { type = types.A, class: of = 1, dnssec, size }: QueryOptions = {},
): Uint8Array {
  const withEdns = dnssec !== undefined || size !== undefined;
  const edns = { size: size ?? 1232, version: 0, dnssec: dnssec === true, extendedCode: 0, options: new Uint8Array() };
  return encodeMessage({
    id: 0x1234,
    flags: bits.recursionDesired,
    questions: [{ name, type, class: of }],
    answers: [],
    authorities: [],
    additionals: withEdns ? [ednsRecord(edns)] : [],
  });
}

export function query(name: string, options?: QueryOptions): Query {
  const read = readQuery(queryBytes(name, options));
  if (read === undefined || "reply" in read) throw new Error("was not read");
  return read.query;
}
