/** Decides what somebody is answered. */
import { isSampanError } from "#errdefs";
import type { Answer } from "./cache.ts";
import { domain, reversedAddress, type Addresses, type Asker, type Directory } from "./directory.ts";
import type { Forwarder } from "./forwarder.ts";
import { bits, codes } from "./message.ts";
import { makeBody, prohibited, reply, type Body, type Query } from "./query.ts";
import { classes, types, type DnsRecord } from "./record.ts";

/** What one container may ask others, and what becomes of the answers. */
export interface NameGate {
  /** Whether a name that is not of this host may be asked for. */
  mayAsk(asker: Asker, name: string): boolean;
  /**
   * Called before an answer is given, so that its addresses can be reached when it is.
   *
   * @returns undefined when nothing has to be done for it, else whether that could be done
   */
  answering(asker: Asker, query: Query, body: Body): Promise<boolean> | undefined;
}

export interface ResponderOptions {
  /** As it is now. */
  readonly directory: () => Directory;
  readonly forwarder: Forwarder;
  /** Servers of the host. */
  readonly hostServers: () => readonly string[];
  readonly gate?: NameGate | undefined;
}

export interface Client {
  readonly address: string;
  readonly stream: boolean;
}

type Given = Uint8Array | undefined;

/** Seconds. What was not there a moment ago may be by now. */
const ownTtl = 5;
/** What only a server for a whole zone is asked, and only about zones: the others ask it for names of hosts. */
const zoneTypes: ReadonlySet<number> = new Set([types.NS, types.SOA, types.DS, types.DNSKEY]);
const refusedTypes: ReadonlySet<number> = new Set([types.AXFR, types.IXFR]);
const loopback: Addresses = {
  4: [Uint8Array.of(127, 0, 0, 1)],
  6: [Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)],
};

const noAnswer = (code: number) => (query: Query) => makeBody(query, code);
const refusal = noAnswer(codes.refused);
const failure = noAnswer(codes.serverFailure);
const nothing = noAnswer(codes.noSuchName);

export class Responder {
  readonly #options: ResponderOptions;
  #turn = 0;

  constructor(options: ResponderOptions) {
    this.#options = options;
  }

  /** The answer, at once where it can be; undefined for none: somebody who is on none of the networks. */
  respond(query: Query, client: Client): Given | Promise<Given> {
    const directory = this.#options.directory();
    const asker = directory.asker(client.address);
    if (asker === undefined) return undefined;
    const { stream } = client;
    if (query.class !== classes.IN || refusedTypes.has(query.type)) return reply(query, refusal(query), { stream });
    const own = this.#own(directory, asker, query);
    if (own !== undefined) return this.#give(asker, query, own, stream);
    return this.#forward(asker, query, client);
  }

  /** What is known here; undefined for what others may know. */
  #own(directory: Directory, asker: Asker, query: Query): Body | undefined {
    const { name } = query;
    const found = isLocalhost(name) ? loopback : directory.find(asker, name);
    if (found !== undefined) return this.#addresses(query, found);
    if (name === domain || name.endsWith(`.${domain}`)) return nothing(query);
    // Nobody outside knows these (RFC 6761, RFC 7686), nor a name of one label, which is one of a container that has gone.
    if (/(^|\.)(invalid|onion)$/.test(name)) return nothing(query);
    if (name !== "" && !name.includes(".") && !zoneTypes.has(query.type)) return nothing(query);
    if (!name.endsWith(".arpa")) return undefined;
    const address = reversedAddress(name);
    const target = address === undefined ? undefined : directory.reverse(asker, address);
    if (target === undefined) return undefined;
    if (target === "none") return nothing(query);
    const isWanted = query.type === types.PTR || query.type === types.ANY;
    return makeBody(query, bits.authoritative, isWanted ? { answers: [record(query, types.PTR, target)] } : {});
  }

  #addresses(query: Query, found: Addresses): Body {
    const wanted = (type: number): boolean => query.type === type || query.type === types.ANY;
    const answers = [
      ...(wanted(types.A) ? this.#rotated(found[4]).map((address) => record(query, types.A, address)) : []),
      ...(wanted(types.AAAA) ? this.#rotated(found[6]).map((address) => record(query, types.AAAA, address)) : []),
    ];
    return makeBody(query, bits.authoritative, { answers });
  }

  /** Another one first each time. */
  #rotated(addresses: readonly Uint8Array[]): readonly Uint8Array[] {
    if (addresses.length < 2) return addresses;
    this.#turn = (this.#turn + 1) & 0xffff;
    const from = this.#turn % addresses.length;
    return [...addresses.slice(from), ...addresses.slice(0, from)];
  }

  #give(asker: Asker, query: Query, body: Body, stream: boolean, age = 0): Given | Promise<Given> {
    const opening = this.#options.gate?.answering(asker, query, body);
    if (opening === undefined) return reply(query, body, { stream, age });
    return opening.then((done) => reply(query, done ? body : failure(query), { stream, age: done ? age : 0 }));
  }

  #forward(asker: Asker, query: Query, client: Client): Given | Promise<Given> {
    const { stream } = client;
    const { forwarder, gate } = this.#options;
    // The host asks its own resolvers itself, and may have named this one among them.
    if (asker.container === "") return reply(query, refusal(query), { stream });
    if (asker.networks.every(({ internal }) => internal))
      return reply(query, nothing(query), { stream, reason: { code: prohibited, text: "this network is internal" } });
    if (gate?.mayAsk(asker, query.name) === false)
      return reply(query, nothing(query), { stream, reason: { code: prohibited, text: "not on the egress list" } });
    const servers = this.#servers(asker);
    const known = forwarder.cached(query, servers.join(" "));
    if (known !== undefined) return this.#answer(asker, query, known, stream);
    return forwarder.fetch(query, servers, client.address).then(
      (answer) => this.#answer(asker, query, answer, stream),
      (error: unknown) => {
        if (!isSampanError(error)) throw error;
        return reply(query, failure(query), { stream });
      },
    );
  }

  #answer(asker: Asker, query: Query, { body, madeAt }: Answer, stream: boolean): Given | Promise<Given> {
    const age = Math.floor((this.#options.forwarder.now() - madeAt) / 1000);
    return this.#give(asker, query, body, stream, age);
  }

  /** Its own ones, else those of the host. */
  #servers({ endpoints }: Asker): readonly string[] {
    const own = endpoints.find(({ nameServers }) => nameServers !== undefined && nameServers.length > 0);
    return own?.nameServers ?? this.#options.hostServers();
  }
}

const isLocalhost = (name: string): boolean => name === "localhost" || name.endsWith(".localhost");

const record = (query: Query, type: number, data: string | Uint8Array): DnsRecord => ({
  name: query.asked,
  type,
  class: classes.IN,
  ttl: ownTtl,
  data: [data],
});
