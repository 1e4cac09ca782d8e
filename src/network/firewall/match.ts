/** Parts of rules, named after what nft shows for them. Registers 1 to 4 have 16 bytes each, 8 to 23 four of the same bytes. */
import { ipToBytes } from "../address/text.ts";
import {
  comparisons,
  ctKeys,
  fibFlags,
  fibResults,
  localAddress,
  lookupFlags,
  metaKeys,
  natTypes,
  payloadBases,
  verdicts,
  type Expression,
} from "../netlink/nftables/expression.ts";

type Rule = readonly Expression[];

const little = (value: number): Uint8Array =>
  Uint8Array.of(value & 255, (value >> 8) & 255, (value >> 16) & 255, value >> 24);

const meta = (key: number, destination: number): Expression => ({ name: "meta", key, destination });
const equal = (value: Uint8Array): Expression => ({
  name: "cmp",
  source: 1,
  operator: comparisons.equal,
  data: { value },
});

const familyNumber = { 4: 2, 6: 10 } as const;
type Family = keyof typeof familyNumber;

/** `meta nfproto ipv4` or `ipv6`: only packets of this family go on. */
const ofFamily = (family: Family): Rule => [meta(metaKeys.family, 1), equal(Uint8Array.of(familyNumber[family]))];

const inputName = meta(metaKeys.inputName, 1);
const outputName = meta(metaKeys.outputName, 1);
const inSet = (set: string): Expression => ({ name: "lookup", set, source: 1 });
const notInSet = (set: string): Expression => ({ name: "lookup", set, source: 1, flags: lookupFlags.inverted });

/** `iifname @set` */
export const inputIn = (set: string): Rule => [inputName, inSet(set)];
/** `iifname != @set` */
export const inputNotIn = (set: string): Rule => [inputName, notInSet(set)];
/** `oifname @set` */
export const outputIn = (set: string): Rule => [outputName, inSet(set)];
/** `oifname != @set` */
export const outputNotIn = (set: string): Rule => [outputName, notInSet(set)];
/** `iifname . oifname @set` */
export const interfacesIn = (set: string): Rule => [inputName, meta(metaKeys.outputName, 2), inSet(set)];

/** Where the address stands in the header of IPv4 and IPv6, and its length. */
const addressAt = {
  4: { source: [12, 4], destination: [16, 4] },
  6: { source: [8, 16], destination: [24, 16] },
} as const;
type Side = "source" | "destination";

function address(family: Family, side: Side, destination = 1): Expression {
  const [offset, length] = addressAt[family][side];
  return { name: "payload", base: payloadBases.network, offset, length, destination };
}

/** `ip saddr @set` and the like */
export const addressIn = (family: Family, side: Side, set: string): Rule => [
  ...ofFamily(family),
  address(family, side),
  inSet(set),
];

/** `oifname . ip saddr @set` */
export const leavingTo = (family: Family, set: string): Rule => [
  ...ofFamily(family),
  outputName,
  address(family, "source", 2),
  inSet(set),
];

/** `ip daddr 127.0.0.0/8` and the like; the prefix is whole bytes. */
export function addressWithin(family: Family, side: Side, network: string, bits: number): Rule {
  const [offset] = addressAt[family][side];
  const length = bits / 8;
  return [
    ...ofFamily(family),
    { name: "payload", base: payloadBases.network, offset, length, destination: 1 },
    equal(ipToBytes(network).slice(0, length)),
  ];
}

/** `fib daddr type local`: the packet is for this host. */
export const toThisHost: Rule = [
  { name: "fib", result: fibResults.addressType, flags: fibFlags.destination, destination: 1 },
  equal(little(localAddress)),
];

/** `ct state …` or `ct status …`, any of the bits. */
export function connection(key: "state" | "status", bits: number): Rule {
  return [
    { name: "ct", key: ctKeys[key], destination: 1 },
    { name: "bitwise", source: 1, destination: 1, length: 4, mask: { value: little(bits) }, xor: { value: little(0) } },
    { name: "cmp", source: 1, operator: comparisons.notEqual, data: { value: little(0) } },
  ];
}

const verdict = (code: number, chain?: string): Expression => ({
  name: "immediate",
  destination: 0,
  data: { verdict: { code, ...(chain === undefined ? {} : { chain }) } },
});
export const accept: Expression = verdict(verdicts.accept);
export const drop: Expression = verdict(verdicts.drop);
export const leave: Expression = verdict(verdicts.return);
export const jump = (chain: string): Expression => verdict(verdicts.jump, chain);
export const masquerade: Expression = { name: "masq" };

/** The 32-bit register that follows `count` bytes from the start of register 1. */
const registerAfter = (count: number): number => 8 + count / 4;

/**
 * `dnat ip to [ip daddr .] meta l4proto . th dport map @map`: the map has the address and port that a packet goes to, and
 * what it has not goes on as it is.
 *
 * @param bound the key begins with the destination address
 */
export function destinationNat(family: Family, map: string, bound: boolean): Rule {
  const width = addressAt[family].destination[1];
  const before = bound ? width : 0;
  return [
    ...ofFamily(family),
    ...(bound ? [address(family, "destination")] : []),
    meta(metaKeys.protocol, bound ? registerAfter(before) : 1),
    { name: "payload", base: payloadBases.transport, offset: 2, length: 2, destination: registerAfter(before + 4) },
    { name: "lookup", set: map, source: 1, destination: 1 },
    {
      name: "nat",
      type: natTypes.destination,
      family: familyNumber[family],
      addressMin: 1,
      portMin: registerAfter(width),
    },
  ];
}
