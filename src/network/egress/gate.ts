/**
 * Names of containers with a policy: which may be asked for, and their addresses in the packet filter, before the container
 * hears of them.
 */
import type { Executor } from "#keel";
import { bytesToIp, familyOf } from "../address/text.ts";
import { domain, type Asker } from "../dns/directory.ts";
import { codes, decodeMessage, headerSize, writeHeader } from "../dns/message.ts";
import { lowerCase } from "../dns/name.ts";
import type { Body, Query } from "../dns/query.ts";
import { types, type DnsRecord } from "../dns/record.ts";
import { MessageWriter } from "../dns/writer.ts";
import type { NameGate } from "../dns/responder.ts";
import { nftablesOperation } from "../netlink/operation.ts";
import type { NetworkStore } from "../store.ts";
import { protocolRanges } from "./boxes.ts";
import { openElements, type OpenedAddress } from "./elements.ts";
import { egressHandle, restoreEgress } from "./kernel.ts";
import { isPublic, mayAskFor, rulesForName, type EgressRule } from "./policy.ts";
import type { RefusedNames } from "./refused-names.ts";

export interface EgressGateOptions {
  readonly executor: Executor;
  readonly store: Pick<NetworkStore, "networks" | "endpoints">;
  readonly refused: RefusedNames;
  /** Milliseconds. */
  readonly now?: () => number;
}

/** Milliseconds that an address stays open at least, and longer than its name holds: a program may wait before it connects. */
const least = 60_000;
const extra = 10_000;
/** One that is open for this part of its time anyway is not opened again. */
const enough = 0.5;
/** Addresses that names have opened for one container at a time. */
const mostOpened = 4096;

interface Opened {
  readonly what: OpenedAddress;
  readonly until: number;
}

const plain = (address: string): string => address.replace(/\/\d+$/, "");

/** The answers with an address of the name itself, or of what it is an alias of. */
function addressesOf(query: Query, answers: readonly DnsRecord[]): { address: string; ttl: number }[] {
  const names = new Map([[query.name, Number.POSITIVE_INFINITY]]);
  // In any order: each round follows one alias more.
  for (let before = 0; before !== names.size;) {
    before = names.size;
    for (const { name, type, ttl, data } of answers) {
      const own = names.get(lowerCase(name));
      const [target] = data;
      if (type === types.CNAME && own !== undefined && typeof target === "string" && !names.has(lowerCase(target)))
        names.set(lowerCase(target), Math.min(own, ttl));
    }
  }
  return answers.flatMap(({ name, type, ttl, data: [bytes] }) => {
    const own = names.get(lowerCase(name));
    if (own === undefined || (type !== types.A && type !== types.AAAA) || !(bytes instanceof Uint8Array)) return [];
    const address = bytesToIp(bytes);
    return address === undefined ? [] : [{ address, ttl: Math.min(own, ttl) }];
  });
}

function answersOf(query: Query, body: Body): readonly DnsRecord[] {
  const out = new MessageWriter();
  writeHeader(out, 0, 0, [1, ...body.counts]);
  out.bytes(query.question);
  out.bytes(body.bytes);
  const bytes = out.finish();
  return bytes.length > headerSize ? decodeMessage(bytes).answers : [];
}

/** A name's rule has one port, or none and no protocol. */
function servicesOf(rule: EgressRule): OpenedAddress["service"][] {
  const { ports } = rule;
  if (ports === undefined) return [undefined];
  return protocolRanges(rule).map(([protocol]) => ({ protocol: Number(protocol), port: ports.first }));
}

export class EgressGate implements NameGate {
  readonly #options: EgressGateOptions;
  readonly #now: () => number;
  readonly #opened = new Map<string, Map<string, Opened>>();
  #handle: bigint | undefined;

  constructor(options: EgressGateOptions) {
    this.#options = options;
    this.#now = options.now ?? performance.now.bind(performance);
  }

  mayAsk({ container, endpoints }: Asker, name: string): boolean {
    const policy = endpoints[0]?.egress;
    if (policy === undefined || mayAskFor(policy, name)) return true;
    this.#options.refused.add(container, name, "not-allowed");
    return false;
  }

  answering(asker: Asker, query: Query, body: Body): Promise<boolean> | undefined {
    const policy = asker.endpoints[0]?.egress;
    if (policy === undefined || body.counts[0] === 0 || (body.flags & 15) !== codes.noError) return undefined;
    const rules = rulesForName(policy, nameInPolicy(asker, query.name));
    if (rules.length === 0) return undefined;
    const wanted = this.#wanted(asker, query, body, rules);
    return wanted.length === 0 ? undefined : this.#open(asker.container, wanted);
  }

  /** What is not open, or not for long enough. */
  #wanted(asker: Asker, query: Query, body: Body, rules: readonly EgressRule[]): Opened[] {
    const now = this.#now();
    const known = this.#opened.get(asker.container);
    // Of containers we know ourselves where they are.
    const isOwn = (body.flags & 0x0400) !== 0;
    const services = rules.flatMap(servicesOf);
    return addressesOf(query, answersOf(query, body)).flatMap(({ address, ttl }) => {
      if (!isOwn && !isPublic(address)) {
        this.#options.refused.add(asker.container, query.name, "private-address");
        return [];
      }
      const time = Math.max(ttl * 1000, least) + extra;
      const sources = asker.endpoints.flatMap(({ addresses }) => addresses.map(plain));
      return sources
        .filter((from) => familyOf(from) === familyOf(address))
        .flatMap((from) =>
          services.map((service) => ({
            what: { from, to: address, ...(service === undefined ? {} : { service }) },
            until: now + time,
          })),
        )
        .filter(({ what }) => (known?.get(JSON.stringify(what))?.until ?? 0) - now < time * enough);
    });
  }

  async #open(container: string, wanted: readonly Opened[]): Promise<boolean> {
    const now = this.#now();
    const known = this.#opened.get(container) ?? new Map<string, Opened>();
    for (const [key, { until }] of known) if (until <= now) known.delete(key);
    if (known.size + wanted.length > mostOpened) return false;
    try {
      await this.#write(wanted);
    } catch {
      // The tables may have been flushed.
      await this.changed().catch(() => undefined);
      const done = await this.#write(wanted).then(
        () => true,
        () => false,
      );
      if (!done) return false;
    }
    for (const opened of wanted) known.set(JSON.stringify(opened.what), opened);
    this.#opened.set(container, known);
    return true;
  }

  async #write(opened: readonly Opened[]): Promise<void> {
    const now = this.#now();
    const requests = openElements(
      opened.filter(({ until }) => until > now).map(({ what, until }) => ({ what, timeout: until - now })),
    );
    if (requests.length > 0)
      await this.#options.executor.execute([nftablesOperation("open the addresses of a name", requests)]);
  }

  /** Makes the tables again when somebody has removed them, and opens in new ones what was open. */
  async changed(): Promise<void> {
    const { store, executor, refused } = this.#options;
    const containers = new Set(
      store.endpoints().flatMap(({ container, egress }) => (egress === undefined ? [] : [container])),
    );
    refused.keep(containers);
    for (const container of this.#opened.keys()) if (!containers.has(container)) this.#opened.delete(container);
    if (containers.size === 0) return;
    let handle = await egressHandle(executor);
    if (handle === undefined) {
      await restoreEgress(executor, store);
      handle = await egressHandle(executor);
    }
    if (handle === this.#handle) return;
    this.#handle = handle;
    await this.#write([...this.#opened.values()].flatMap((opened) => [...opened.values()]));
  }
}

/** `db` for `db.backend.sampan.internal`. */
function nameInPolicy(asker: Asker, name: string): string {
  const network = asker.networks.find((candidate) => name.endsWith(`.${candidate.name.toLowerCase()}.${domain}`));
  return network === undefined ? name : name.slice(0, -network.name.length - domain.length - 2);
}
