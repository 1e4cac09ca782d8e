/**
 * What a policy opens by itself, as boxes of addresses, protocols and ports. The kernel's set of ranges refuses elements that
 * overlap, so that they are cut until none does.
 */
import { parsePrefix, sizeOf, type Prefix } from "../address/prefix.ts";
import type { Family } from "../address/text.ts";
import { protocols } from "../firewall/keys.ts";
import { privatePrefixes, publicPrefixV6, type EgressPolicy, type EgressRule } from "./policy.ts";

/** First and last. */
export type Range = readonly [bigint, bigint];
/** Addresses, protocols, ports. */
export type Box = readonly [Range, Range, Range];

const rangeOf = (prefix: Prefix): Range => [prefix.base, prefix.base + sizeOf(prefix) - 1n];
const anyProtocol: Range = [0n, 255n];
const anyPort: Range = [0n, 65_535n];

/** Where clouds give credentials to whoever asks, and what is only on one link: not part of anything larger. */
const delicate: Readonly<Record<Family, readonly Prefix[]>> = {
  4: [parsePrefix("169.254.0.0/16")],
  6: [parsePrefix("fe80::/10"), parsePrefix("fd00:ec2::254/128")],
};

const overlap = (a: Range, b: Range): boolean => a[0] <= b[1] && b[0] <= a[1];

function subtractRange(from: Range, what: Range): Range[] {
  if (!overlap(from, what)) return [from];
  const parts: Range[] = [
    [from[0], what[0] - 1n],
    [what[1] + 1n, from[1]],
  ];
  return parts.filter(([first, last]) => first <= last);
}

/** What is in `from` and not in `what`, as boxes that do not overlap. */
export function subtract(from: Box, what: Box): Box[] {
  if (!from.every((range, axis) => overlap(range, what[axis] ?? range))) return [from];
  const rest: Box[] = [];
  let left: Box = from;
  for (const axis of [0, 1, 2] as const) {
    const inner: Range = [
      left[axis][0] > what[axis][0] ? left[axis][0] : what[axis][0],
      left[axis][1] < what[axis][1] ? left[axis][1] : what[axis][1],
    ];
    for (const part of subtractRange(left[axis], inner)) rest.push(replaced(left, axis, part));
    left = replaced(left, axis, inner);
  }
  return rest;
}

function replaced(box: Box, axis: 0 | 1 | 2, range: Range): Box {
  const copy: [Range, Range, Range] = [...box];
  copy[axis] = range;
  return copy;
}

function addressRanges({ prefix }: EgressRule, family: Family): Range[] {
  if (prefix === undefined) {
    if (family === 6) return [rangeOf(publicPrefixV6)];
    return privatePrefixes.reduce<Range[]>(
      (ranges, not) => ranges.flatMap((range) => subtractRange(range, rangeOf(not))),
      [[0n, 0xffff_ffffn]],
    );
  }
  const parsed = parsePrefix(prefix);
  if (parsed.family !== family) return [];
  const range = rangeOf(parsed);
  const isWithin = (outer: Range): boolean => range[0] >= outer[0] && range[1] <= outer[1];
  return delicate[family]
    .map(rangeOf)
    .filter((special) => !isWithin(special))
    .reduce<Range[]>((ranges, special) => ranges.flatMap((part) => subtractRange(part, special)), [range]);
}

/** Protocols by number; a port is one of TCP and of UDP when nothing else is said. */
export function protocolRanges({ ports, protocol }: EgressRule): Range[] {
  const numbers =
    protocol === undefined ? (ports === undefined ? [] : [protocols.tcp, protocols.udp]) : [protocols[protocol]];
  return numbers.length === 0 ? [anyProtocol] : numbers.map((number) => [BigInt(number), BigInt(number)] as const);
}

/** The boxes of a family that a policy opens for as long as it holds. */
export function boxesOf({ rules }: EgressPolicy, family: Family): Box[] {
  const boxes: Box[] = [];
  for (const rule of rules.filter(({ name }) => name === undefined)) {
    const ports: Range = rule.ports === undefined ? anyPort : [BigInt(rule.ports.first), BigInt(rule.ports.last)];
    for (const addresses of addressRanges(rule, family))
      for (const protocol of protocolRanges(rule)) {
        const fresh = boxes.reduce<Box[]>(
          (parts, box) => parts.flatMap((part) => subtract(part, box)),
          [[addresses, protocol, ports]],
        );
        boxes.push(...fresh);
      }
  }
  return boxes;
}
