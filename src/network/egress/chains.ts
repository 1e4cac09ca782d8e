/** The rules of the tables that `sets.ts` describes. */
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
import { priorities, type hooks } from "../netlink/nftables/objects.ts";
import { connection, accept, drop, jump, leave } from "../firewall/match.ts";
import { protocols } from "../firewall/keys.ts";
import type { EgressFamily } from "./sets.ts";

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
  // Each rule says it, so that nft can name what is compared.
  const is = ofVersion("inet", version);
  const ours = (set: string): Rule => [...is, address(version, "source", 0), lookup(set)];
  return {
    [`refuse${version}`]: { rules: [[...is, ...flow(version), note(`refused${version}`)], [reject]] },
    // A way back to the chain that came here is a way out.
    [`leaving${version}`]: {
      rules: [
        [...connection("state", ctStates.established | ctStates.related), leave],
        [...is, ...flow(version), lookup(`open${version}`), leave],
        [...is, ...flow(version), lookup(`ports${version}`), leave],
        // A name's address may be that of a public resolver: names are asked for here, and not there.
        [meta(metaKeys.protocol), transport(2, 2, register(4)), lookup("nameServices"), goto(`refuse${version}`)],
        [...is, ...pair(version), lookup(`named${version}`), leave],
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
            ...ofVersion("bridge", version),
            ...pair(version),
            transport(0, 2, register(headers[version].source[1] * 2)),
            transport(2, 2, register(headers[version].source[1] * 2 + 4)),
            lookup(`asked${version}`),
            accept,
          ],
          [...ofVersion("bridge", version), ...flow(version), lookup(`open${version}`), accept],
          [...ofVersion("bridge", version), ...flow(version), lookup(`ports${version}`), accept],
          [...ofVersion("bridge", version), ...pair(version), lookup(`named${version}`), accept],
          [...ofVersion("bridge", version), ...flow(version), note(`refused${version}`)],
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

/** By family; in the order in which they are made. */
export const egressChains: Readonly<Record<EgressFamily, Readonly<Record<string, ChainShape>>>> = {
  inet: { ...inetChains(4), ...inetChains(6) },
  bridge: bridgeChains,
};
