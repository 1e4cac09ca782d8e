/** What the host's network is like, where a new network has to fit in. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Executor } from "#keel";
import type { Operation } from "#plan";
import { ipToNumber, prefixOf } from "../address/prefix.ts";
import { familyOf } from "../address/text.ts";
import { askRoute } from "../netlink/operation.ts";
import { family, routeTypes, type Route } from "../netlink/route/objects.ts";
import type { NetworkRecord } from "../records.ts";
import type { UsedPrefix } from "./create.ts";

export interface HostNetwork {
  readonly used: readonly UsedPrefix[];
  /** Of the interface that the default route leaves by, 1500 without one. */
  readonly mtu: number;
}

const usualMtu = 1500;

async function routesOf(executor: Executor): Promise<Route[]> {
  const routes: Route[] = [];
  for (const number of [family.inet, family.inet6]) {
    const replies = await askRoute(executor, [{ kind: "route", action: "dump", value: { family: number } }]);
    for (const reply of replies) if (reply.kind === "route") routes.push(reply.value);
  }
  return routes;
}

/** @param own networks whose routes do not count: they are known by their records */
export async function readHostNetwork(executor: Executor, own: readonly NetworkRecord[]): Promise<HostNetwork> {
  const routes = await routesOf(executor);
  const indices = new Set(own.map((network) => network.index));
  const used = own.flatMap(({ name, subnets }): UsedPrefix[] =>
    subnets.map(({ prefix }) => {
      const [address = "", length] = prefix.split("/");
      const of = prefixOf(familyOf(address), ipToNumber(address), Number(length));
      return { prefix: of, by: `network "${name}"`, isNetwork: true };
    }),
  );
  let output: number | undefined;
  for (const route of routes) {
    if (route.routeType === routeTypes.unicast && route.destination === undefined) output ??= route.output;
    if (route.destination === undefined || (route.output !== undefined && indices.has(route.output))) continue;
    const address = route.destination;
    const prefix = prefixOf(familyOf(address), ipToNumber(address), route.destinationLength);
    used.push({ prefix, by: "the host's routes" });
  }
  if (output === undefined) return { used, mtu: usualMtu };
  const [link] = await askRoute(executor, [{ kind: "link", action: "get", value: { index: output } }]);
  return { used, mtu: (link?.kind === "link" ? link.value.mtu : undefined) ?? usualMtu };
}

const v6Settings = "/proc/sys/net/ipv6/conf";

/**
 * A host that passes IPv6 packets on takes no routes from routers any more, and would lose its own way out, unless each
 * interface that now does is told to go on (accept_ra 2, Documentation/networking/ip-sysctl.rst).
 */
export function keepRouterAdvertisements(): Operation[] {
  try {
    if (readFileSync(join(v6Settings, "all/forwarding"), "utf8").trim() !== "0") return [];
    return readdirSync(v6Settings)
      .filter((name) => name !== "all" && readFileSync(join(v6Settings, name, "accept_ra"), "utf8").trim() === "1")
      .map((name) => ({ op: "sysctl", key: `net/ipv6/conf/${name}/accept_ra`, value: "2" }));
  } catch {
    // No IPv6, or an interface that has just gone.
    return [];
  }
}

/** Interfaces of the host that only Sampan makes, by their names. */
export const ownInterfaces = (): string[] =>
  readdirSync("/sys/class/net").filter((name) => /^(sampan0|sampan-[0-9a-f]{8}|sv[0-9a-f]{12})$/.test(name));

/** Names of all interfaces in this process' network namespace. */
export function interfaceNames(): ReadonlySet<string> {
  const lines = readFileSync("/proc/self/net/dev", "latin1").split("\n");
  return new Set(lines.flatMap((line) => /^ *([^ :]+):/.exec(line)?.[1] ?? []));
}
