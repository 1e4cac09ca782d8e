/** Network interfaces (RTM_NEWLINK; struct ifinfomsg and IFLA_*, include/uapi/linux/if_link.h). */
import { attributes, eachAttribute, writeAttribute } from "../attribute.ts";
import type { Attributes, AttributeTable, Codec } from "../attribute.ts";
import { malformed, viewOf } from "../buffer.ts";
import { header, payload } from "../message.ts";
import { be16, bool8, i32, mac, raw, text, u16, u32, u8 } from "../values.ts";
import { statistics } from "./statistics.ts";

/** Bits of `flags` and `change`. */
export const linkFlags = { up: 0x1, loopback: 0x8, noArp: 0x80, lowerUp: 0x10000 } as const;

/** IFLA_INET6_ADDR_GEN_MODE: how an interface gets a link-local address. */
export const addressGeneration = { eui64: 0, none: 1, stablePrivacy: 2, random: 3 } as const;

export const macvlanModes = { private: 1, vepa: 2, bridge: 4, passthru: 8 } as const;
export const ipvlanModes = { l2: 0, l3: 1, l3s: 2 } as const;

/** Times are in hundredths of a second. */
const bridgeData = attributes({
  forwardDelay: [1, u32],
  helloTime: [2, u32],
  maxAge: [3, u32],
  ageingTime: [4, u32],
  /** 0 off, 1 by the kernel, 2 by a program. */
  stpState: [5, u32],
  priority: [6, u16],
  vlanFiltering: [7, bool8],
  vlanProtocol: [8, be16],
  groupForwardMask: [9, u16],
  multicastSnooping: [23, bool8],
  vlanDefaultPvid: [39, u16],
});

const vlanData = attributes({ id: [1, u16], protocol: [5, be16] });
const macvlanData = attributes({ mode: [1, u32], flags: [2, u16] });
const ipvlanData = attributes({ mode: [1, u16], flags: [2, u16] });

/** What a bridge knows of an interface that is its port (IFLA_BRPORT_*). */
const bridgePortData = attributes({
  state: [1, u8],
  priority: [2, u16],
  cost: [3, u32],
  /** Frames may leave by the port they came in. */
  hairpin: [4, bool8],
  guard: [5, bool8],
  learning: [8, bool8],
  unicastFlood: [9, bool8],
  /** It exchanges frames with ports that are not isolated, only. */
  isolated: [33, bool8],
});

/** The interface's kind, with what only that kind has. */
export type LinkInfo =
  | ({ readonly kind: "bridge" } & Attributes<typeof bridgeData.table>)
  | { readonly kind: "veth"; readonly peer?: Partial<Link> }
  | ({ readonly kind: "vlan" } & Attributes<typeof vlanData.table>)
  | ({ readonly kind: "macvlan" } & Attributes<typeof macvlanData.table>)
  | ({ readonly kind: "ipvlan" } & Attributes<typeof ipvlanData.table>)
  | { readonly kind: "dummy" }
  /** A kind that is not known here, or a port of a master that is not. */
  | { readonly kind: "other"; readonly name: string; readonly data?: Uint8Array };

type Info = LinkInfo & { readonly port?: Attributes<typeof bridgePortData.table> };

const kinds: ReadonlyMap<string, Codec<unknown>> = new Map<string, Codec<unknown>>([
  ["bridge", bridgeData],
  ["vlan", vlanData],
  ["macvlan", macvlanData],
  ["ipvlan", ipvlanData],
  ["dummy", attributes({})],
]);

const info: Codec<Info> = {
  nested: true,
  write(out, value) {
    const known = kinds.get(value.kind);
    if (value.kind === "other") {
      if (value.name !== "") writeAttribute(out, 1, text, value.name);
      if (value.data !== undefined) writeAttribute(out, 2, raw, value.data);
    } else writeAttribute(out, 1, text, value.kind);
    if (value.kind === "veth" && value.peer !== undefined)
      writeAttribute(out, 2, attributes({ peer: [1, peerCodec] }), { peer: value.peer });
    if (known !== undefined) writeAttribute(out, 2, known, value);
    if (value.port !== undefined) {
      writeAttribute(out, 4, text, "bridge");
      writeAttribute(out, 5, bridgePortData, value.port);
    }
  },
  read(data) {
    const parts = new Map(eachAttribute(data));
    const part = (type: number): string | undefined => {
      const value = parts.get(type);
      return value === undefined ? undefined : text.read(value);
    };
    const portData = parts.get(5);
    const port = part(4) === "bridge" && portData !== undefined ? { port: bridgePortData.read(portData) } : {};
    return { ...readKind(part(1) ?? "", parts.get(2)), ...port };
  },
};

function readKind(name: string, data: Uint8Array | undefined): LinkInfo {
  if (name === "veth") {
    const peer = data === undefined ? undefined : attributes({ peer: [1, peerCodec] }).read(data).peer;
    return { kind: "veth", ...(peer === undefined ? {} : { peer }) };
  }
  const known = kinds.get(name);
  if (known === undefined) return { kind: "other", name, ...(data === undefined ? {} : { data: data.slice() }) };
  return { kind: name, ...(data === undefined ? {} : (known.read(data) as object)) } as LinkInfo;
}

const linkHeader = header([
  ["family", "u8"],
  ["", "pad8"],
  /** ARPHRD_*: 1 Ethernet, 772 loopback. */
  ["linkType", "u16"],
  ["index", "i32"],
  ["flags", "u32"],
  /** Bits of `flags` that a request is to change. */
  ["change", "u32"],
]);

const table = {
  address: [1, mac],
  broadcast: [2, mac],
  name: [3, text],
  mtu: [4, u32],
  /** Index of the interface below or of the peer, in the namespace `linkNamespaceId`. */
  link: [5, u32],
  qdisc: [6, text],
  /** Index of the bridge that it is a port of, 0 for none. */
  master: [10, u32],
  txQueueLength: [13, u32],
  /** RFC 2863: 2 down, 6 up. */
  operState: [16, u8],
  linkMode: [17, u8],
  info: [18, info],
  /** Of a request: put it in the namespace of this process. */
  namespacePid: [19, u32],
  alias: [20, text],
  statistics: [23, statistics],
  perFamily: [26, attributes({ inet6: [10, attributes({ addressGeneration: [8, u8] })] })],
  group: [27, u32],
  /** Of a request: put it in the namespace that this descriptor of the sender is of. */
  namespaceFd: [28, u32],
  promiscuity: [30, u32],
  txQueues: [31, u32],
  rxQueues: [32, u32],
  linkNamespaceId: [37, i32],
} as const satisfies AttributeTable;

export type Link = Readonly<Record<"family" | "linkType" | "index" | "flags" | "change", number>> &
  Attributes<typeof table>;

export const linkPayload = payload(linkHeader, attributes(table));

/** A veth's other end: a message's payload within an attribute. */
const peerCodec: Codec<Partial<Link>> = {
  nested: true,
  write(out, value) {
    linkHeader.write(out, value);
    attributes(table).write(out, value);
  },
  read(data) {
    if (data.length < linkHeader.size) throw malformed(`a peer of ${data.length} bytes`);
    return { ...linkHeader.read(viewOf(data)), ...attributes(table).read(data.subarray(linkHeader.size)) };
  },
};
