/** Answers of other servers, for as long as they hold, in a bounded number of bytes. */
import { codes, type Message } from "./message.ts";
import { types, type DnsRecord } from "./record.ts";
import type { Body } from "./query.ts";

export interface Answer {
  readonly body: Body;
  /** Milliseconds, of the clock that the cache was given. */
  readonly madeAt: number;
  readonly expiresAt: number;
}

/** What a map's entry and the objects in it take, about. */
const overhead = 400;

/** The least recently used ones go first. */
export class AnswerCache {
  readonly #entries = new Map<string, Answer>();
  readonly #limit: number;
  #bytes = 0;

  /** @param limit bytes of memory, about */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string, now: number): Answer | undefined {
    const found = this.#entries.get(key);
    if (found === undefined) return undefined;
    this.#entries.delete(key);
    if (found.expiresAt <= now) {
      this.#bytes -= sizeOf(key, found);
      return undefined;
    }
    this.#entries.set(key, found);
    return found;
  }

  set(key: string, answer: Answer): void {
    this.#drop(key);
    this.#entries.set(key, answer);
    this.#bytes += sizeOf(key, answer);
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#limit) return;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    const found = this.#entries.get(key);
    if (found === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= sizeOf(key, found);
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }
}

const sizeOf = (key: string, { body }: Answer): number =>
  overhead + key.length * 2 + body.bytes.length + body.ttls.length * 8;

/** A server's mistake should not last. */
const longest = 86_400;
/** RFC 2308, section 5: one to three hours work well for what is not there. */
const longestNegative = 3600;
/** A server that has failed is asked again soon (RFC 2308, section 7: five minutes at most). */
const failure = 2;

const largestTtl = 0x7fff_ffff;
/** A TTL with its first bit set is 0 (RFC 2181, section 8). */
const ttlOf = ({ ttl }: DnsRecord): number => (ttl > largestTtl ? 0 : ttl);

/** Seconds for which an answer may be given again. */
export function lifetime(message: Message, code: number): number {
  const { answers, authorities, additionals } = message;
  if (code !== codes.noError && code !== codes.noSuchName) return failure;
  const records = [...answers, ...authorities, ...additionals].filter((record) => record.type !== types.OPT);
  if (code === codes.noSuchName || answers.length === 0) {
    const soa = authorities.find((record) => record.type === types.SOA);
    // Without it, nobody has said for how long.
    if (soa === undefined) return failure;
    const numbers = soa.data[2];
    const minimum = numbers instanceof Uint8Array && numbers.length === 20 ? Buffer.from(numbers).readUInt32BE(16) : 0;
    return Math.min(longestNegative, minimum, ...records.map(ttlOf));
  }
  return Math.min(longest, ...records.map(ttlOf));
}
