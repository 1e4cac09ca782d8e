/**
 * Hosts whose `FORWARD` chain drops by its policy, as Docker and ufw set it: what passes between our bridges and others would
 * never get further. Two rules at its end let it; what another rule there drops stays dropped, and what our own table drops
 * too. They are of the form that `iptables` writes, and shows as `-i sampan+` and `-o sampan+`.
 */
import type { Executor } from "#keel";
import type { Operation } from "#plan";
import { comparisons, metaKeys, verdicts, type Expression } from "../netlink/nftables/expression.ts";
import { hooks, type Chain, type Rule } from "../netlink/nftables/objects.ts";
import type { NftablesRequest } from "../netlink/nftables/request.ts";
import { askNftables, nftablesOperation } from "../netlink/operation.ts";
import { accept } from "./match.ts";

const table = "filter";
const chain = "FORWARD";
const families = ["ip", "ip6"] as const;
type Family = (typeof families)[number];

/** The beginning of all our bridges' names. */
const prefix = new TextEncoder().encode("sampan");

const beginsWithOurs = (key: number): readonly Expression[] => [
  { name: "meta", key, destination: 1 },
  { name: "cmp", source: 1, operator: comparisons.equal, data: { value: prefix } },
];

const ours: readonly (readonly Expression[])[] = [metaKeys.inputName, metaKeys.outputName].map((key) => [
  ...beginsWithOurs(key),
  { name: "counter" },
  accept,
]);

/** With keys in order, and bytes as numbers. */
function canonical(value: unknown): unknown {
  if (value instanceof Uint8Array || Array.isArray(value)) return Array.from(value, canonical);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, canonical(item)]));
}

/** Comparable text, without counts, which change. */
const shape = (expressions: readonly Expression[]): string =>
  JSON.stringify(expressions.map((e) => (e.name === "counter" ? e.name : canonical(e))));

const isOurs = (rule: Rule): boolean =>
  ours.some((expressions) => shape(expressions) === shape(rule.expressions ?? []));

const dropsByPolicy = ({ hook, policy }: Chain): boolean => hook?.number === hooks.forward && policy === verdicts.drop;

async function rulesOf(executor: Executor, family: Family): Promise<Rule[]> {
  const replies = await askNftables(executor, [{ kind: "rule", action: "dump", family, value: { table, chain } }]);
  return replies.flatMap((reply) =>
    reply.kind === "rule" && reply.value.table === table && reply.value.chain === chain ? [reply.value] : [],
  );
}

async function chainOf(executor: Executor, family: Family): Promise<Chain | undefined> {
  const replies = await askNftables(executor, [{ kind: "chain", action: "dump", family, value: {} }]);
  for (const reply of replies)
    if (reply.kind === "chain" && reply.value.table === table && reply.value.name === chain) return reply.value;
  return undefined;
}

const changes = (requests: readonly NftablesRequest[]): Operation[] =>
  requests.length === 0 ? [] : [nftablesOperation("let packets of networks pass the host's FORWARD chain", requests)];

/** What has to be done so that the policy drops nothing of ours; nothing on most hosts. */
export async function policyExceptions(executor: Executor): Promise<Operation[]> {
  const requests: NftablesRequest[] = [];
  for (const family of families) {
    const found = await chainOf(executor, family);
    if (found === undefined || !dropsByPolicy(found)) continue;
    const there = new Set((await rulesOf(executor, family)).map((rule) => shape(rule.expressions ?? [])));
    for (const expressions of ours)
      if (!there.has(shape(expressions)))
        requests.push({ kind: "rule", action: "append", family, value: { table, chain, expressions } });
  }
  return changes(requests);
}

/** Takes the rules back, whatever the policy is by now. */
export async function withdrawExceptions(executor: Executor): Promise<Operation[]> {
  const requests: NftablesRequest[] = [];
  for (const family of families) {
    if ((await chainOf(executor, family)) === undefined) continue;
    for (const rule of await rulesOf(executor, family))
      if (isOurs(rule) && rule.handle !== undefined)
        requests.push({ kind: "rule", action: "delete", family, value: { table, chain, handle: rule.handle } });
  }
  return changes(requests);
}
