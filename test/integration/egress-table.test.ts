/** The tables of what containers may reach, as `nft` shows them: what the kernel has understood. */
import { describe, expect, it } from "vitest";
import { KeelExecutor } from "#keel";
import { parseEgress } from "#network";
import { egressElements, openElements } from "../../src/network/egress/elements.ts";
import { makeEgressTables, removeEgressTables } from "../../src/network/egress/table.ts";
import { nftablesOperation } from "../../src/network/netlink/operation.ts";
import type { NftablesRequest } from "../../src/network/netlink/nftables/request.ts";
import type { EndpointRecord, NetworkRecord } from "../../src/network/records.ts";
import { TestHost } from "../support/testhost.ts";

const chains = `
table inet sampan-egress {
  chain refuse4 {
    update @refused4 { ip saddr . ip daddr . meta l4proto . th dport counter }
    reject with icmpx admin-prohibited
  }
  chain leaving4 {
    ct state established,related return
    ip saddr . ip daddr . meta l4proto . th dport @open4 return
    ip saddr . ip daddr . meta l4proto . th dport @ports4 return
    meta l4proto . th dport @nameServices goto refuse4
    ip saddr . ip daddr @named4 return
    goto refuse4
  }
  chain forward4 {
    type filter hook forward priority filter - 1; policy accept;
    ip saddr @restricted4 jump leaving4
  }
  chain input4 {
    type filter hook input priority filter - 1; policy accept;
    ip daddr . meta l4proto . th dport @resolvers4 accept
    ip saddr @restricted4 jump leaving4
  }
  chain refuse6 {
    update @refused6 { ip6 saddr . ip6 daddr . meta l4proto . th dport counter }
    reject with icmpx admin-prohibited
  }
  chain leaving6 {
    ct state established,related return
    ip6 saddr . ip6 daddr . meta l4proto . th dport @open6 return
    ip6 saddr . ip6 daddr . meta l4proto . th dport @ports6 return
    meta l4proto . th dport @nameServices goto refuse6
    ip6 saddr . ip6 daddr @named6 return
    goto refuse6
  }
  chain forward6 {
    type filter hook forward priority filter - 1; policy accept;
    ip6 saddr @restricted6 jump leaving6
  }
  chain input6 {
    type filter hook input priority filter - 1; policy accept;
    icmpv6 type 133-137 accept
    ip6 daddr . meta l4proto . th dport @resolvers6 accept
    ip6 saddr @restricted6 jump leaving6
  }
}
table bridge sampan-egress {
  chain source {
    type filter hook prerouting priority dstnat; policy accept;
    iifname != @interfaces accept
    iifname . arp saddr ip @sources4 accept
    iifname . ip saddr @sources4 accept
    iifname . ip6 saddr @sources6 accept
    meta l4proto ipv6-icmp ip6 saddr fe80::/16 accept
    meta l4proto ipv6-icmp ip6 saddr :: accept
    drop
  }
  chain peers4 {
    ip saddr . ip daddr . th sport . th dport @asked4 accept
    ip saddr . ip daddr . meta l4proto . th dport @open4 accept
    ip saddr . ip daddr . meta l4proto . th dport @ports4 accept
    ip saddr . ip daddr @named4 accept
    update @refused4 { ip saddr . ip daddr . meta l4proto . th dport counter }
    drop
  }
  chain peers6 {
    ip6 saddr . ip6 daddr . th sport . th dport @asked6 accept
    ip6 saddr . ip6 daddr . meta l4proto . th dport @open6 accept
    ip6 saddr . ip6 daddr . meta l4proto . th dport @ports6 accept
    ip6 saddr . ip6 daddr @named6 accept
    update @refused6 { ip6 saddr . ip6 daddr . meta l4proto . th dport counter }
    drop
  }
  chain forward {
    type filter hook forward priority -1; policy accept;
    oifname @interfaces update @asked4 { ip daddr . ip saddr . udp dport . udp sport }
    oifname @interfaces update @asked6 { ip6 daddr . ip6 saddr . udp dport . udp sport }
    iifname != @interfaces accept
    meta protocol arp accept
    tcp flags != syn / syn,ack accept
    icmp type != echo-request accept
    icmpv6 type != echo-request accept
    meta protocol ip goto peers4
    meta protocol ip6 goto peers6
    drop
  }
}
`;

const network: NetworkRecord = {
  name: "front",
  driver: "bridge",
  bridge: "sampan0",
  index: 1000,
  subnets: [
    { prefix: "10.61.0.0/24", gateway: "10.61.0.1" },
    { prefix: "fd00:61::/64", gateway: "fd00:61::1" },
  ],
  mtu: 1500,
  internal: false,
  labels: {},
  createdAt: 0,
};
const endpoint: EndpointRecord = {
  network: "front",
  container: "c",
  interface: "eth0",
  hostInterface: "sv0123",
  index: 2,
  mac: "",
  addresses: ["10.61.0.2/24", "fd00:61::2/64"],
  isWayOut: true,
  aliases: [],
  ports: [],
  egress: parseEgress(["allow=192.0.2.0/24:443/tcp,192.0.2.0/25:1-9,example.com"]) ?? { rules: [] },
};
const opened = [
  { what: { from: "10.61.0.2", to: "192.0.2.9" }, timeout: 600_000 },
  { what: { from: "fd00:61::2", to: "2001:db8::9", service: { protocol: 6, port: 443 } }, timeout: 600_000 },
];

describe("makeEgressTables(), egressElements() and openElements()", () => {
  it("make what nft shows, again and again, and nothing is left of it", async () => {
    await using host = await TestHost.create();
    await using keel = new KeelExecutor();
    const namespace = `/proc/${host.initPid}/ns/net`;
    const run = async (...requests: readonly NftablesRequest[]): Promise<void> => {
      await keel.execute([nftablesOperation("set up the packet filter", requests, { namespace })]);
    };
    await run(...makeEgressTables());
    await run(...makeEgressTables(), ...egressElements("add", network, endpoint), ...openElements(opened));
    await run(...egressElements("add", network, endpoint), ...openElements(opened));
    const listing = (await host.must(["nft", "list", "ruleset"])).replaceAll("\t", "  ");
    const withoutSets = listing.replaceAll(/^ {2}set [^]*?^ {2}\}\n/gm, "").replaceAll(/\n{2,}/g, "\n");
    expect(withoutSets).toBe(chains.trim());
    const elements = [...listing.matchAll(/^ {2}set (\w+) \{[^]*?^ {2}\}\n/gm)].flatMap(([text, set]) => {
      const [, list] = /elements = \{([^}]*)\}/.exec(text) ?? [];
      return list === undefined
        ? []
        : [
            `${set}: ${list
              .replaceAll(/\s+/g, " ")
              .replaceAll(/ expires \w+/g, "")
              .trim()}`,
          ];
    });
    const open =
      "open4: 10.61.0.2 . 192.0.2.0/24 . tcp . 443, 10.61.0.2 . 192.0.2.0/25 . tcp . 1-9, 10.61.0.2 . 192.0.2.0/25 . udp . 1-9";
    const both = [
      "named4: 10.61.0.2 . 192.0.2.9 timeout 10m",
      "ports6: fd00:61::2 . 2001:db8::9 . tcp . 443 timeout 10m",
    ];
    expect(elements).toEqual([
      "nameServices: tcp . 53, udp . 53, tcp . 853, udp . 853",
      "restricted4: 10.61.0.2",
      "restricted6: fd00:61::2",
      "resolvers4: 10.61.0.1 . tcp . 53, 10.61.0.1 . udp . 53",
      "resolvers6: fd00:61::1 . tcp . 53, fd00:61::1 . udp . 53",
      ...[open, ...both],
      'interfaces: "sv0123"',
      'sources4: "sv0123" . 10.61.0.2',
      'sources6: "sv0123" . fd00:61::2',
      ...[open, ...both],
    ]);
    await run(...egressElements("delete", undefined, endpoint));
    const left = (await host.must(["nft", "list", "ruleset"])).match(/elements = \{[^}]*\}/g) ?? [];
    // Where names are answered, and what a name has opened.
    expect(left.map((text) => /sv0123|restricted|tcp \. 1-9/.test(text))).toEqual(left.map(() => false));
    await run(...removeEgressTables);
    await run(...removeEgressTables);
    expect(await host.must(["nft", "list", "ruleset"])).toBe("");
  });
});
