/**
 * Tables of the packet filter for containers that may not reach everything, `inet sampan-egress` and `bridge sampan-egress`.
 * They are there while there is such a container. As in the table of networks, the rules never change.
 *
 * In `inet`, packets that are routed or for this host:
 *
 *     restricted4/6   addresses of such containers
 *     resolvers4/6    where our name server listens: the only one that they may ask
 *     open4/6         what a policy names: from . to . protocol . port, as ranges
 *     named4/6        addresses that our name server has answered, for as long as the answer holds
 *     ports4/6        … where only a port of the name is allowed
 *     refused4/6      what was refused, and how often, in the last hour: rules write it
 *
 * In `bridge`, packets from container to container, which only pass the bridge:
 *
 *     ports, sources4/6   interfaces of such containers, and the addresses that packets may have that come by them: the rules
 *                         above go by addresses
 *     asked4/6            UDP that came to such a container a moment ago, and may be answered
 *     open4/6 …           as above
 */
import type { FieldType } from "../firewall/keys.ts";

export const egressTable = "sampan-egress";
export type EgressFamily = "inet" | "bridge";

export interface SetShape {
  readonly key: readonly FieldType[];
  readonly interval?: true;
  /** Each element says for how long it is kept. */
  readonly timed?: true;
  /** Rules add elements, which are kept for so many milliseconds. */
  readonly keep?: bigint;
}

/** Elements of a set that rules add to: a scan of all ports of many hosts should not fill memory. */
export const mostRefused = 8192;
const hour = 3_600_000n;
/** As long as a connection tracker remembers UDP without an answer. */
const halfMinute = 30_000n;

const bothFamilies = <const K extends string, S>(names: Readonly<Record<K, (address: FieldType) => S>>) =>
  Object.fromEntries(
    Object.entries<(address: FieldType) => S>(names).flatMap(([name, shape]) => [
      [`${name}4`, shape("ipv4_addr")],
      [`${name}6`, shape("ipv6_addr")],
    ]),
  ) as Readonly<Record<`${K}4` | `${K}6`, S>>;

const common = {
  open: (address: FieldType): SetShape => ({
    key: [address, address, "inet_proto", "inet_service"],
    interval: true,
  }),
  named: (address: FieldType): SetShape => ({ key: [address, address], timed: true }),
  ports: (address: FieldType): SetShape => ({ key: [address, address, "inet_proto", "inet_service"], timed: true }),
  refused: (address: FieldType): SetShape => ({
    key: [address, address, "inet_proto", "inet_service"],
    keep: hour,
  }),
};

export const egressSets = {
  inet: {
    nameServices: { key: ["inet_proto", "inet_service"] } as SetShape,
    ...bothFamilies({
      restricted: (address): SetShape => ({ key: [address] }),
      resolvers: (address): SetShape => ({ key: [address, "inet_proto", "inet_service"] }),
      ...common,
    }),
  },
  bridge: {
    interfaces: { key: ["ifname"] } as SetShape,
    ...bothFamilies({
      sources: (address): SetShape => ({ key: ["ifname", address] }),
      asked: (address): SetShape => ({
        key: [address, address, "inet_service", "inet_service"],
        keep: halfMinute,
      }),
      ...common,
    }),
  },
} as const;

export type EgressSet<F extends EgressFamily = EgressFamily> = keyof (typeof egressSets)[F];
