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
import {
  comparisons,
  lookupFlags,
  metaKeys,
  payloadBases,
  rejectTypes,
  setActions,
  ctStates,
  verdicts,
  type Expression,
} from "../netlink/nftables/expression.ts";
import { hooks, priorities, setFlags } from "../netlink/nftables/objects.ts";
import type { NftablesRequest } from "../netlink/nftables/request.ts";
import { connection, accept, drop, jump, leave } from "../firewall/match.ts";
import { fieldLengths, keyBytes, keyLength, protocols, typeNumber, type FieldType } from "../firewall/keys.ts";

export const egressTable = "sampan-egress";
export type EgressFamily = "inet" | "bridge";

interface SetShape {
  readonly key: readonly FieldType[];
  readonly interval?: true;
  /** Milliseconds for which an element is kept by default; with it rules add elements, and each element may have its own. */
  readonly keep?: number;
  readonly timed?: true;
}

/** Elements of a set that rules add to: a scan of all ports of many hosts should not fill memory. */
const mostRefused = 8192;
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

interface TimedShape extends SetShape {
  readonly default?: bigint;
}

const common = {
  open: (address: FieldType): TimedShape => ({
    key: [address, address, "inet_proto", "inet_service"],
    interval: true,
  }),
  named: (address: FieldType): TimedShape => ({ key: [address, address], timed: true }),
  ports: (address: FieldType): TimedShape => ({ key: [address, address, "inet_proto", "inet_service"], timed: true }),
  refused: (address: FieldType): TimedShape => ({
    key: [address, address, "inet_proto", "inet_service"],
    default: hour,
  }),
};

export const egressSets = {
  inet: {
    nameServices: { key: ["inet_proto", "inet_service"] } as TimedShape,
    ...bothFamilies({
      restricted: (address): TimedShape => ({ key: [address] }),
      resolvers: (address): TimedShape => ({ key: [address, "inet_proto", "inet_service"] }),
      ...common,
    }),
  },
  bridge: {
    interfaces: { key: ["ifname"] } as TimedShape,
    ...bothFamilies({
      sources: (address): TimedShape => ({ key: ["ifname", address] }),
      asked: (address): TimedShape => ({
        key: [address, address, "inet_service", "inet_service"],
        default: halfMinute,
      }),
      ...common,
    }),
  },
} as const;

export type EgressSet<F extends EgressFamily = EgressFamily> = keyof (typeof egressSets)[F];

type Rule = readonly Expression[];
type Version = 4 | 6;

/** Where things stand in the two headers: offset and length of the addresses. */
const headers = {
  4: { source: [12, 4], destination: [16, 4], number: Uint8Array.of(2), etherType: Uint8Array.of(0x08, 0x00) },
  6: { source: [8, 16], destination: [24, 16], number: Uint8Array.of(10), etherType: Uint8Array.of(0x86, 0xdd) },
} as const;
const arpType = Uint8Array.of(0x08, 0x06);

const compare = (operator: number, value: Uint8Array): Expression => ({
  name: "cmp",
  source: 1,
  operator,
  data: { value },
});
const meta = (key: number, destination = 1): Expression => ({ name: "meta", key, destination });
const payload = (base: number, offset: number, length: number, destination = 1): Expression => ({
  name: "payload",
  base,
  offset,
  length,
  destination,
});
const transport = (offset: number, length: number, destination = 1): Expression =>
  payload(payloadBases.transport, offset, length, destination);
const lookup = (set: string): Expression => ({ name: "lookup", set, source: 1 });
const notIn = (set: string): Expression => ({ name: "lookup", set, source: 1, flags: lookupFlags.inverted });

/** Packets of IPv4 or IPv6: by the protocol of a table of both, or by the frame's. */
const ofVersion = (family: EgressFamily, version: Version): Rule =>
  family === "inet"
    ? [meta(metaKeys.family), compare(comparisons.equal, headers[version].number)]
    : [meta(metaKeys.etherType), compare(comparisons.equal, headers[version].etherType)];

const ofProtocol = (number: number): Rule => [
  meta(metaKeys.protocol),
  compare(comparisons.equal, Uint8Array.of(number)),
];

/** The register, of four bytes each, that follows so many bytes after the start of the first one. */
const register = (bytes: number): number => (bytes === 0 ? 1 : 8 + bytes / 4);

const address = (version: Version, side: "source" | "destination", at: number): Expression =>
  payload(payloadBases.network, headers[version][side][0], headers[version][side][1], register(at));

/** Source and destination, from the first register on. */
const pair = (version: Version): Rule => [
  address(version, "source", 0),
  address(version, "destination", headers[version].source[1]),
];
/** With protocol and port of the destination. */
function flow(version: Version): Rule {
  const width = headers[version].source[1] * 2;
  return [...pair(version), meta(metaKeys.protocol, register(width)), transport(2, 2, register(width + 4))];
}

const verdict = (code: number, chain: string): Expression => ({
  name: "immediate",
  destination: 0,
  data: { verdict: { code, chain } },
});
const goto = (chain: string): Expression => verdict(verdicts.goto, chain);

const note = (set: string): Expression => ({
  name: "dynset",
  set,
  action: setActions.update,
  sourceKey: 1,
  expression: {},
});

interface ChainShape {
  readonly hook?: readonly [hook: keyof typeof hooks, priority: number];
  readonly rules: readonly Rule[];
}

/** Administratively prohibited (ICMPX code 3), so that a client fails at once and knows why. */
const reject: Expression = { name: "reject", type: rejectTypes.icmpInet, code: 3 };

const icmp6 = 58;
/** Neighbours and routers (RFC 4861): without them there is no network. */
const neighbours: Rule = [
  ...ofProtocol(icmp6),
  transport(0, 1),
  compare(comparisons.greaterOrEqual, Uint8Array.of(133)),
  compare(comparisons.lessOrEqual, Uint8Array.of(137)),
];

function inetChains(version: Version): Record<string, ChainShape> {
  const ours = (set: string): Rule => [...ofVersion("inet", version), address(version, "source", 0), lookup(set)];
  return {
    [`refuse${version}`]: { rules: [[...flow(version), note(`refused${version}`)], [reject]] },
    // A way back to the chain that came here is a way out.
    [`leaving${version}`]: {
      rules: [
        [...connection("state", ctStates.established | ctStates.related), leave],
        [...flow(version), lookup(`open${version}`), leave],
        [...flow(version), lookup(`ports${version}`), leave],
        // A name's address may be that of a public resolver: names are asked for here, and not there.
        [meta(metaKeys.protocol), transport(2, 2, register(4)), lookup("nameServices"), goto(`refuse${version}`)],
        [...pair(version), lookup(`named${version}`), leave],
        [goto(`refuse${version}`)],
      ],
    },
    [`forward${version}`]: {
      hook: ["forward", priorities.filter - 1],
      rules: [[...ours(`restricted${version}`), jump(`leaving${version}`)]],
    },
    [`input${version}`]: {
      hook: ["input", priorities.filter - 1],
      rules: [
        ...(version === 6 ? [[...ofVersion("inet", 6), ...neighbours, accept]] : []),
        [
          ...ofVersion("inet", version),
          address(version, "destination", 0),
          meta(metaKeys.protocol, register(headers[version].source[1])),
          transport(2, 2, register(headers[version].source[1] + 4)),
          lookup(`resolvers${version}`),
          accept,
        ],
        [...ours(`restricted${version}`), jump(`leaving${version}`)],
      ],
    },
  };
}

const inputName = meta(metaKeys.inputName);
const outputName = meta(metaKeys.outputName);

/** `offset` of the sender's address of IPv4 in ARP. */
const arpSender = 14;

/** Link-local, and none: what neighbours are asked from. */
const withoutAddress = (first: readonly number[]): Rule => [
  ...ofProtocol(icmp6),
  payload(payloadBases.network, headers[6].source[0], first.length),
  compare(comparisons.equal, Uint8Array.from(first)),
];

const bridgeChains: Record<string, ChainShape> = {
  source: {
    hook: ["prerouting", priorities.raw],
    rules: [
      [inputName, notIn("interfaces"), accept],
      [
        meta(metaKeys.etherType),
        compare(comparisons.equal, arpType),
        inputName,
        payload(payloadBases.network, arpSender, 4, register(16)),
        lookup("sources4"),
        accept,
      ],
      ...([4, 6] as const).map((version) => [
        ...ofVersion("bridge", version),
        inputName,
        address(version, "source", 16),
        lookup(`sources${version}`),
        accept,
      ]),
      [...ofVersion("bridge", 6), ...withoutAddress([0xfe, 0x80]), accept],
      [...ofVersion("bridge", 6), ...withoutAddress(Array.from({ length: 16 }, () => 0)), accept],
      [drop],
    ],
  },
  ...Object.fromEntries(
    ([4, 6] as const).map((version): [string, ChainShape] => [
      `peers${version}`,
      {
        rules: [
          [
            ...flow(version).slice(0, 2),
            transport(0, 2, register(headers[version].source[1] * 2)),
            transport(2, 2, register(headers[version].source[1] * 2 + 4)),
            lookup(`asked${version}`),
            accept,
          ],
          [...flow(version), lookup(`open${version}`), accept],
          [...flow(version), lookup(`ports${version}`), accept],
          [...pair(version), lookup(`named${version}`), accept],
          [...flow(version), note(`refused${version}`)],
          [drop],
        ],
      },
    ]),
  ),
  forward: {
    hook: ["forward", priorities.filter - 1],
    rules: [
      // The answer's source is the question's destination, and so on.
      ...([4, 6] as const).map((version) => {
        const width = headers[version].source[1];
        return [
          outputName,
          lookup("interfaces"),
          ...ofProtocol(protocols.udp),
          ...ofVersion("bridge", version),
          address(version, "destination", 0),
          address(version, "source", width),
          transport(2, 2, register(width * 2)),
          transport(0, 2, register(width * 2 + 4)),
          { name: "dynset", set: `asked${version}`, action: setActions.update, sourceKey: 1 } as const,
        ];
      }),
      [inputName, notIn("interfaces"), accept],
      [meta(metaKeys.etherType), compare(comparisons.equal, arpType), accept],
      // All of TCP but what opens a connection: SYN without ACK.
      [
        ...ofProtocol(protocols.tcp),
        transport(13, 1),
        {
          name: "bitwise",
          source: 1,
          destination: 1,
          length: 1,
          mask: { value: Uint8Array.of(0x12) },
          xor: { value: Uint8Array.of(0) },
        },
        compare(comparisons.notEqual, Uint8Array.of(0x02)),
        accept,
      ],
      // Of ICMP, what answers or reports: all but echo requests, and neighbours.
      [...ofProtocol(1), transport(0, 1), compare(comparisons.notEqual, Uint8Array.of(8)), accept],
      [...ofProtocol(icmp6), transport(0, 1), compare(comparisons.notEqual, Uint8Array.of(128)), accept],
      [...ofVersion("bridge", 4), goto("peers4")],
      [...ofVersion("bridge", 6), goto("peers6")],
      [drop],
    ],
  },
};

const chains: Readonly<Record<EgressFamily, Readonly<Record<string, ChainShape>>>> = {
  inet: { ...inetChains(4), ...inetChains(6) },
  bridge: bridgeChains,
};

/** For nft only, see `table.ts` of the firewall. */
const hostByteOrder = Uint8Array.of(0, 4, 1, 0, 0, 0);

function setRequest(family: EgressFamily, name: string, shape: TimedShape, id: number): NftablesRequest {
  const { key, interval = false, timed = false } = shape;
  const flags =
    (interval ? setFlags.interval | setFlags.concatenation : 0) |
    (timed || shape.default !== undefined ? setFlags.timeout : 0) |
    (shape.default === undefined ? 0 : setFlags.dynamic);
  const concatenation = interval ? { concatenation: fieldLengths(key).map((length) => ({ length })) } : {};
  const size = shape.default === undefined ? {} : { size: mostRefused };
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
      ...(interval || shape.default !== undefined ? { description: { ...size, ...concatenation } } : {}),
      ...(shape.default === undefined ? {} : { timeout: shape.default }),
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
    for (const [index, [name, shape]] of Object.entries<TimedShape>(egressSets[family]).entries())
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
