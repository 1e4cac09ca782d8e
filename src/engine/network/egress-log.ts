/** What was refused to a container by its `egress`. Loaded when it is asked for. */
import { join } from "node:path";
import { readRefusedNames, type RefusedName, type RefusedPackets } from "#network";
import type { EngineCore } from "../core.ts";

export interface RefusedEgress {
  /** `192.0.2.1:443/tcp`, `[2001:db8::1]:53/udp`, `192.0.2.1/icmp`, or a name. */
  readonly what: string;
  /** In words. */
  readonly why: string;
  /** Packets, or questions. */
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly last: number;
}

function packetsOf({ to, protocol, port, packets, age }: RefusedPackets, now: number): RefusedEgress {
  const address = port === undefined ? to : `${to.includes(":") ? `[${to}]` : to}:${port}`;
  return { what: `${address}/${protocol}`, why: "not allowed", count: packets, last: now - age };
}

const reasons: Readonly<Record<RefusedName["reason"], string>> = {
  "not-allowed": "name not allowed",
  "private-address": "name has a private address",
};

export async function readEgressLog(core: EngineCore, id: string): Promise<readonly RefusedEgress[]> {
  const { networks } = await core.networking();
  const now = Date.now();
  const packets = (await networks.refusedPackets(id)).map((refused) => packetsOf(refused, now));
  const names = readRefusedNames(join(core.paths.state, "..", "dns"), id).map(
    ({ name, reason, count, last }): RefusedEgress => ({ what: name, why: reasons[reason], count, last }),
  );
  return [...packets, ...names].sort((a, b) => b.last - a.last);
}
