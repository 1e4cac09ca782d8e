/** Questions that others answer: from the cache, or by one of several servers. */
import { resourceExhausted, unavailable } from "#errdefs";
import { AnswerCache, lifetime, type Answer } from "./cache.ts";
import { exchange, type ExchangeOptions, type Outgoing, type Reply } from "./exchange.ts";
import { bits, codes } from "./message.ts";
import { labelsOf, lowerCase } from "./name.ts";
import { makeBody, type Query } from "./query.ts";
import { types, type DnsRecord } from "./record.ts";

export interface ForwarderOptions {
  /** Bytes of memory for answers. */
  readonly cacheSize?: number;
  /** Questions that wait for a server at once, of all, and of one client. */
  readonly pending?: number;
  readonly pendingOfOne?: number;
  /** Port of the servers. */
  readonly port?: number;
  /** Milliseconds, for tests. */
  readonly now?: () => number;
  readonly ask?: (outgoing: Outgoing, options: ExchangeOptions) => Promise<Reply>;
}

const defaults = { cacheSize: 4 << 20, pending: 1000, pendingOfOne: 100, port: 53 };

/** Milliseconds for one server, the first time, and again. A client's own patience is five seconds (resolv.conf(5)). */
const timeouts = [1000, 2000];
/** Milliseconds for which a server that did not answer is asked last. */
const suspicion = 30_000;

export class Forwarder {
  readonly #cache: AnswerCache;
  readonly #options: Required<Pick<ForwarderOptions, "pending" | "pendingOfOne" | "port">>;
  readonly #now: () => number;
  readonly #ask: (outgoing: Outgoing, options: ExchangeOptions) => Promise<Reply>;
  readonly #waiting = new Map<string, Promise<Answer>>();
  readonly #waitingOf = new Map<string, number>();
  readonly #failedAt = new Map<string, number>();

  constructor(options: ForwarderOptions = {}) {
    const { cacheSize, ...limits } = { ...defaults, ...options };
    this.#cache = new AnswerCache(cacheSize);
    this.#options = limits;
    this.#now = options.now ?? performance.now.bind(performance);
    this.#ask = options.ask ?? exchange;
  }

  /** Of this moment. */
  now(): number {
    return this.#now();
  }

  /** What is known already. The key is for {@link Forwarder.fetch}. */
  cached(query: Query, servers: string): Answer | undefined {
    return this.#cache.get(keyOf(query, servers), this.#now());
  }

  /**
   * Asks servers, in their order, until one answers. The same question is asked once, however many wait for it.
   *
   * @throws SampanError `unavailable` when none does, `resource-exhausted` when too many questions wait
   */
  async fetch(query: Query, servers: readonly string[], client: string): Promise<Answer> {
    const key = keyOf(query, servers.join(" "));
    const waiting = this.#waiting.get(key);
    const ofClient = this.#waitingOf.get(client) ?? 0;
    if (
      ofClient >= this.#options.pendingOfOne ||
      (waiting === undefined && this.#waiting.size >= this.#options.pending)
    )
      throw resourceExhausted(`Cannot resolve "${query.name}": too many questions wait for an answer`);
    this.#waitingOf.set(client, ofClient + 1);
    try {
      return await (waiting ?? this.#begin(key, query, servers));
    } finally {
      const left = (this.#waitingOf.get(client) ?? 1) - 1;
      if (left === 0) this.#waitingOf.delete(client);
      else this.#waitingOf.set(client, left);
    }
  }

  #begin(key: string, query: Query, servers: readonly string[]): Promise<Answer> {
    const asked = this.#resolve(query, servers)
      .then((reply) => {
        const answer = this.#answer(query, reply);
        if (answer.expiresAt > answer.madeAt) this.#cache.set(key, answer);
        return answer;
      })
      .finally(() => this.#waiting.delete(key));
    this.#waiting.set(key, asked);
    return asked;
  }

  async #resolve(query: Query, servers: readonly string[]): Promise<Reply> {
    const outgoing: Outgoing = {
      question: query.question,
      dnssec: query.edns?.dnssec === true,
      checkingDisabled: (query.flags & bits.checkingDisabled) !== 0,
    };
    let refusal: Reply | undefined;
    for (const timeout of timeouts)
      for (const server of this.#ordered(servers)) {
        try {
          const reply = await this.#ask(outgoing, { server, port: this.#options.port, timeout });
          this.#failedAt.delete(server);
          if (reply.code === codes.noError || reply.code === codes.noSuchName) return reply;
          refusal = reply;
        } catch {
          this.#failedAt.set(server, this.#now());
        }
      }
    if (refusal === undefined) throw unavailable(`Cannot resolve "${query.name}": no name server answers`);
    return refusal;
  }

  /** Those that answered last time go first. */
  #ordered(servers: readonly string[]): readonly string[] {
    if (this.#failedAt.size === 0) return servers;
    const limit = this.#now() - suspicion;
    for (const [server, at] of this.#failedAt) if (at <= limit) this.#failedAt.delete(server);
    const isSuspect = (server: string): number => (this.#failedAt.has(server) ? 1 : 0);
    return [...servers].sort((a, b) => isSuspect(a) - isSuspect(b));
  }

  #answer(query: Query, { message, code }: Reply): Answer {
    const passed = bits.authentic | bits.checkingDisabled;
    const restored = (records: readonly DnsRecord[]): DnsRecord[] =>
      records.filter((record) => record.type !== types.OPT).map(caseRestorer(query.asked));
    const now = this.#now();
    return {
      // Codes beyond four bits are about EDNS, and not for the client.
      body: makeBody(query, (message.flags & passed) | (code > 15 ? codes.serverFailure : code), {
        answers: restored(message.answers),
        authorities: restored(message.authorities),
        additionals: restored(message.additionals),
      }),
      madeAt: now,
      expiresAt: now + lifetime(message, code) * 1000,
    };
  }
}

/** Writes names as the client did: they came back with capitals by chance where they were those of the question. */
function caseRestorer(asked: string): (record: DnsRecord) => DnsRecord {
  const labels = labelsOf(asked);
  const endings = labels.map((_, index) => labels.slice(index).join("."));
  const restore = (name: string): string => {
    const lower = lowerCase(name);
    const ending = endings.find((text) => lower === lowerCase(text) || lower.endsWith(`.${lowerCase(text)}`));
    return ending === undefined ? name : name.slice(0, name.length - ending.length) + ending;
  };
  return (record) => ({
    ...record,
    name: restore(record.name),
    data: record.data.map((part) => (typeof part === "string" ? restore(part) : part)),
  });
}

function keyOf({ name, type, class: of, flags, edns }: Query, servers: string): string {
  return `${type} ${of} ${edns?.dnssec === true ? "d" : ""}${(flags & bits.checkingDisabled) === 0 ? "" : "c"} ${name} ${servers}`;
}
