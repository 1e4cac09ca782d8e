/** What networks and published ports add to the table's sets and maps. */
import { contains, formatPrefix, numberToBytes, numberToIp, parsePrefix, sizeOf } from "../address/prefix.ts";
import { familyOf } from "../address/text.ts";
import type { Element } from "../netlink/nftables/objects.ts";
import { elementFlags } from "../netlink/nftables/objects.ts";
import type { NftablesRequest } from "../netlink/nftables/request.ts";
import type { NetworkRecord, PublishedPort } from "../records.ts";
import { isTranslated } from "../ports/forward.ts";
import { networkTraits } from "../traits.ts";
import { keyBytes, type FieldType } from "./keys.ts";
import { sets, tableName, type SetName } from "./table.ts";

type Change = "add" | "delete";

function request(action: Change, set: SetName, elements: readonly Element[]): NftablesRequest {
  return { kind: "elements", action, family: "inet", value: { table: tableName, set, elements } };
}

const entry = (set: SetName, ...values: readonly (string | number)[]): Element => ({
  key: { value: keyBytes(sets[set].key, values) },
});

/** An interval is its first key, and the first one after it; without the latter when that would be past all. */
function subnet(text: string): Element[] {
  const prefix = parsePrefix(text);
  const end = prefix.base + sizeOf(prefix);
  const first: Element = { key: { value: numberToBytes(prefix.family, prefix.base) } };
  const all = { ...prefix, base: 0n, length: 0 };
  if (!contains(all, end)) return [first];
  return [first, { key: { value: numberToBytes(prefix.family, end) }, flags: elementFlags.intervalEnd }];
}

export function networkElements(action: Change, network: NetworkRecord): NftablesRequest[] {
  if (network.driver !== "bridge") return [];
  const { bridge } = network;
  const { icc, isolate, masquerade, metadata } = networkTraits(network);
  const named = (["bridges", ...(isolate ? [] : ["open"]), ...(metadata ? ["metadata"] : [])] as const).map((set) =>
    request(action, set as SetName, [entry(set as SetName, bridge)]),
  );
  const requests = [...named, ...(icc ? [request(action, "allowed", [entry("allowed", bridge, bridge)])] : [])];
  for (const { prefix } of network.subnets) {
    const { family, base } = parsePrefix(prefix);
    const last = base + sizeOf(parsePrefix(prefix)) - 1n;
    const set: SetName = `own${family}`;
    const bounds = [base, last].map((number) => keyBytes(sets[set].key, [bridge, numberToIp(family, number)]));
    const [key = new Uint8Array(), keyEnd = key] = bounds;
    requests.push(request(action, set, [{ key: { value: key }, keyEnd: { value: keyEnd } }]));
  }
  if (network.internal) return [...requests, request(action, "internal", [entry("internal", bridge)])];
  for (const { prefix } of masquerade ? network.subnets : []) {
    const parsed = parsePrefix(prefix);
    requests.push(request(action, parsed.family === 4 ? "subnets4" : "subnets6", subnet(formatPrefix(parsed))));
  }
  return requests;
}

const any = new Set(["0.0.0.0", "::"]);

/** One element for each port. */
export function portElements(action: Change, ports: readonly PublishedPort[]): NftablesRequest[] {
  const bySet = new Map<SetName, Element[]>();
  for (const port of ports.filter(isTranslated)) {
    const family = familyOf(port.hostAddress);
    const bound = !any.has(port.hostAddress);
    const set: SetName = `${bound ? "bound" : "any"}${family}`;
    const shape: { readonly key: readonly FieldType[]; readonly data: readonly FieldType[] } = sets[set];
    const key = [...(bound ? [port.hostAddress] : []), port.protocol, port.hostPort];
    const elements = bySet.get(set) ?? [];
    bySet.set(set, elements);
    elements.push({
      key: { value: keyBytes(shape.key, key) },
      data: { value: keyBytes(shape.data, [port.address, port.port]) },
    });
  }
  return [...bySet].flatMap(([set, elements]) => inChunks(action, set, elements));
}

/** An attribute has at most 64 KiB, and an element takes less than 128 bytes. */
const chunk = 500;

function inChunks(action: Change, set: SetName, elements: readonly Element[]): NftablesRequest[] {
  const requests: NftablesRequest[] = [];
  for (let at = 0; at < elements.length; at += chunk)
    requests.push(request(action, set, elements.slice(at, at + chunk)));
  return requests;
}
