/** The table of the packet filter, as `nft` shows it, beside the same one written in nft's language. */
import { describe, expect, it } from "vitest";
import { KeelExecutor } from "#keel";
import { networkElements, portElements } from "../../src/network/firewall/elements.ts";
import { makeTable, removeTable } from "../../src/network/firewall/table.ts";
import { nftablesOperation } from "../../src/network/netlink/operation.ts";
import { askNftables } from "../../src/network/netlink/operation.ts";
import type { NftablesRequest } from "../../src/network/netlink/nftables/request.ts";
import type { NetworkRecord, PublishedPort } from "../../src/network/records.ts";
import { TestHost } from "../support/testhost.ts";

const language = `
table inet sampan {
  set bridges { type ifname; elements = { "sampan0", "sampan-inner", "sampan-open" } }
  set internal { type ifname; elements = { "sampan-inner" } }
  set open { type ifname; elements = { "sampan-open" } }
  set metadata { type ifname; elements = { "sampan-open" } }
  set allowed { type ifname . ifname; elements = { "sampan0" . "sampan0", "sampan-inner" . "sampan-inner" } }
  set own4 { type ifname . ipv4_addr; flags interval; elements = { "sampan0" . 10.88.0.0/16, "sampan-inner" . 10.89.0.0/24, "sampan-open" . 10.90.0.0/24 } }
  set own6 { type ifname . ipv6_addr; flags interval; elements = { "sampan0" . fd00:1:2:3::/64 } }
  set subnets4 { type ipv4_addr; flags interval; elements = { 10.88.0.0/16 } }
  set subnets6 { type ipv6_addr; flags interval; elements = { fd00:1:2:3::/64 } }
  map any4 { type inet_proto . inet_service : ipv4_addr . inet_service; elements = { tcp . 8080 : 10.88.0.2 . 80, udp . 53 : 10.88.0.3 . 5353 } }
  map any6 { type inet_proto . inet_service : ipv6_addr . inet_service; elements = { tcp . 8080 : fd00:1:2:3::2 . 80 } }
  map bound4 { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; elements = { 127.0.0.1 . tcp . 9090 : 10.88.0.2 . 90 } }
  map bound6 { type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service; elements = { 2001:db8::1 . sctp . 7 : fd00:1:2:3::2 . 8 } }
  chain guard {
    type filter hook prerouting priority raw; policy accept;
    iifname @bridges ip daddr 127.0.0.0/8 drop
    iifname @bridges ip saddr 127.0.0.0/8 drop
  }
  chain ports {
    dnat ip to ip daddr . meta l4proto . th dport map @bound4
    meta nfproto ipv4 dnat ip to meta l4proto . th dport map @any4
    dnat ip6 to ip6 daddr . meta l4proto . th dport map @bound6
    meta nfproto ipv6 dnat ip6 to meta l4proto . th dport map @any6
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    ip daddr 127.0.0.0/8 return
    fib daddr type local jump ports
  }
  chain output {
    type nat hook output priority -100; policy accept;
    ip6 daddr ::1 return
    fib daddr type local jump ports
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname @bridges ip saddr 127.0.0.0/8 masquerade
    meta nfproto ipv4 oifname . ip saddr @own4 ct status dnat masquerade
    meta nfproto ipv6 oifname . ip6 saddr @own6 ct status dnat masquerade
    ip saddr @subnets4 oifname != @bridges masquerade
    ip6 saddr @subnets6 oifname != @bridges masquerade
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname . oifname @allowed accept
    oifname @internal drop
    iifname @internal drop
    iifname @bridges iifname != @metadata ip daddr 169.254.0.0/16 drop
    iifname @bridges iifname != @metadata ip6 daddr fd00:ec2::254 drop
    iifname @open oifname @open accept
    ct state established,related accept
    oifname @bridges ct status dnat accept
    oifname @bridges drop
  }
}`;

const network = (
  name: string,
  bridge: string,
  internal: boolean,
  prefixes: string[],
  options: Readonly<Record<string, string>> = {},
): NetworkRecord => ({
  options,
  name,
  driver: "bridge",
  bridge,
  index: 1000,
  subnets: prefixes.map((prefix) => ({ prefix, gateway: "" })),
  mtu: 1500,
  internal,
  labels: {},
  createdAt: 0,
});
const networks = [
  network("default", "sampan0", false, ["10.88.0.0/16", "fd00:1:2:3::/64"]),
  network("inner", "sampan-inner", true, ["10.89.0.0/24"]),
  network("open", "sampan-open", false, ["10.90.0.0/24"], {
    isolate: "false",
    icc: "false",
    masquerade: "false",
    metadata: "true",
  }),
];
const port = (
  protocol: PublishedPort["protocol"],
  hostAddress: string,
  hostPort: number,
  address: string,
  port: number,
) => ({
  protocol,
  hostAddress,
  hostPort,
  address,
  port,
});
const ports: readonly PublishedPort[] = [
  port("tcp", "0.0.0.0", 8080, "10.88.0.2", 80),
  port("udp", "0.0.0.0", 53, "10.88.0.3", 5353),
  port("tcp", "::", 8080, "fd00:1:2:3::2", 80),
  port("tcp", "127.0.0.1", 9090, "10.88.0.2", 90),
  port("sctp", "2001:db8::1", 7, "fd00:1:2:3::2", 8),
];

/** Objects of `nft -j`, without handles, in an order of their own. */
async function listed(host: TestHost): Promise<unknown[]> {
  const { nftables } = JSON.parse(await host.must(["nft", "-j", "list", "table", "inet", "sampan"])) as {
    nftables: Record<string, { handle?: number; elem?: unknown[] }>[];
  };
  for (const object of nftables)
    for (const value of Object.values(object)) {
      delete value.handle;
      value.elem?.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    }
  const byKind = (kind: string) => nftables.filter((object) => kind in object);
  return ["table", "set", "map", "chain", "rule"].map(byKind);
}

/** What the kernel has of a chain's rules, without what it numbers by itself. */
async function rulesOf(keel: KeelExecutor, namespace: string): Promise<unknown[]> {
  const rules = await askNftables(keel, [{ kind: "rule", action: "dump", family: "inet", value: {} }], { namespace });
  return rules.flatMap((rule) =>
    rule.kind === "rule" ? [{ chain: rule.value.chain, expressions: rule.value.expressions }] : [],
  );
}

describe("makeTable()", () => {
  it("makes what nft makes of its language, and removeTable removes it", async () => {
    await using host = await TestHost.create();
    await using other = await TestHost.create();
    await using keel = new KeelExecutor();
    const namespace = `/proc/${host.initPid}/ns/net`;
    const run = async (requests: readonly NftablesRequest[]) => {
      await keel.execute([nftablesOperation("set up the packet filter", requests, { namespace })]);
    };
    const elements = [...networks.flatMap((n) => networkElements("add", n)), ...portElements("add", ports)];
    // Twice: the second one takes the first one's place.
    await run(makeTable());
    await run([...makeTable(), ...elements]);
    await other.must(["nft", "-f", "-"], { input: language });
    expect(await listed(host)).toEqual(await listed(other));
    // nft's own compiler and the builders here, by what the kernel has.
    expect(await rulesOf(keel, namespace)).toEqual(await rulesOf(keel, `/proc/${other.initPid}/ns/net`));

    await run([
      ...networks.toReversed().flatMap((n) => networkElements("delete", n)),
      ...portElements("delete", ports),
    ]);
    await run([]);
    expect(await host.must(["nft", "list", "table", "inet", "sampan"])).not.toMatch(/elements/);
    await run(removeTable);
    await run(removeTable);
    expect(await host.must(["nft", "list", "ruleset"])).toBe("");
  });
});
