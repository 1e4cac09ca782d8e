/** Makes and removes the tables of `sets.ts`. */
import { verdicts } from "../netlink/nftables/expression.ts";
import { hooks, setFlags } from "../netlink/nftables/objects.ts";
import type { NftablesRequest } from "../netlink/nftables/request.ts";
import { fieldLengths, keyBytes, keyLength, protocols, typeNumber } from "../firewall/keys.ts";
import { egressChains as chains } from "./chains.ts";
import { egressSets, egressTable, mostRefused, type EgressFamily, type SetShape } from "./sets.ts";

/** For nft only, see `table.ts` of the firewall. */
const hostByteOrder = Uint8Array.of(0, 4, 1, 0, 0, 0);

function setRequest(family: EgressFamily, name: string, shape: SetShape, id: number): NftablesRequest {
  const { key, interval = false, timed = false } = shape;
  const flags =
    (interval ? setFlags.interval | setFlags.concatenation : 0) |
    (timed || shape.keep !== undefined ? setFlags.timeout : 0) |
    (shape.keep === undefined ? 0 : setFlags.dynamic);
  const concatenation = interval ? { concatenation: fieldLengths(key).map((length) => ({ length })) } : {};
  const size = shape.keep === undefined ? {} : { size: mostRefused };
  return {
    kind: "set",
    action: "add",
    family,
    value: {
      table: egressTable,
      name,
      id,
      flags,
      keyType: typeNumber(key),
      keyLength: keyLength(key),
      ...(key.length === 1 && key[0] === "ifname" ? { userData: hostByteOrder } : {}),
      ...(interval || shape.keep !== undefined ? { description: { ...size, ...concatenation } } : {}),
      ...(shape.keep === undefined ? {} : { timeout: shape.keep }),
    },
  };
}

/** DNS, and DNS over TLS. */
const nameServices = [
  [protocols.tcp, 53],
  [protocols.udp, 53],
  [protocols.tcp, 853],
  [protocols.udp, 853],
] as const;

const make = (family: EgressFamily): NftablesRequest => ({
  kind: "table",
  action: "add",
  family,
  value: { name: egressTable },
});
const remove = (family: EgressFamily): NftablesRequest[] => [
  make(family),
  { kind: "table", action: "delete", family, value: { name: egressTable } },
];

const families = ["inet", "bridge"] as const;

/** Removes both, whether they are there or not. */
export const removeEgressTables: readonly NftablesRequest[] = families.flatMap(remove);

/** Both, without any container, in place of whatever there is. */
export function makeEgressTables(): NftablesRequest[] {
  return families.flatMap((family) => {
    const requests: NftablesRequest[] = [...remove(family), make(family)];
    for (const [index, [name, shape]] of Object.entries<SetShape>(egressSets[family]).entries())
      requests.push(setRequest(family, name, shape, index + 1));
    if (family === "inet")
      requests.push({
        kind: "elements",
        action: "add",
        family,
        value: {
          table: egressTable,
          set: "nameServices",
          elements: nameServices.map((key) => ({ key: { value: keyBytes(egressSets.inet.nameServices.key, key) } })),
        },
      });
    for (const [name, { hook }] of Object.entries(chains[family])) {
      const base =
        hook === undefined
          ? {}
          : { type: "filter", hook: { number: hooks[hook[0]], priority: hook[1] }, policy: verdicts.accept };
      requests.push({ kind: "chain", action: "add", family, value: { table: egressTable, name, ...base } });
    }
    for (const [chain, { rules }] of Object.entries(chains[family]))
      for (const expressions of rules)
        requests.push({ kind: "rule", action: "append", family, value: { table: egressTable, chain, expressions } });
    return requests;
  });
}
