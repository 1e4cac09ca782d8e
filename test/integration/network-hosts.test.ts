/** Built-in networks beside what else there is on a host: its packet filter, its links, its connections. */
import { describe, expect, it } from "vitest";
import { NetworkHost } from "../support/network-host.ts";

const shell = async (n: NetworkHost, script: string): Promise<string> => await n.host.must(["sh", "-ec", script]);

describe("a bridge network", { timeout: 180_000 }, () => {
  it("passes a FORWARD chain that drops by its policy, as Docker's and ufw's, and leaves it as it was", async () => {
    await using n = await NetworkHost.create();
    await n.container("a", "b");
    const chain = "iptables-nft -S FORWARD; ip6tables-nft -S FORWARD";
    await shell(
      n,
      "iptables-nft -P FORWARD DROP; ip6tables-nft -P FORWARD DROP; iptables-nft -A FORWARD -s 10.88.0.3 -j DROP",
    );
    const before = await shell(n, chain);
    await n.run(`
      await networks.create({ name: "six", ipv6: true });
      await attach("a", { network: "bridge", ports: parsePublish("8080:80") });
      await attach("b", { network: "bridge" }); await attach("b", { network: "six" });`);
    await n.serve("a", "TCP-LISTEN:80");
    expect(await n.pings("a", "192.0.2.2")).toBe(true);
    expect(await n.asks("lan", "TCP:192.0.2.1:8080")).toBe("192.0.2.2");
    // What a rule drops stays dropped, and so does what nobody has published.
    expect(await n.pings("b", "192.0.2.2")).toBe(false);
    await shell(n, "ip -n lan route add 10.88.0.0/16 via 192.0.2.1");
    expect(await n.asks("lan", "TCP:10.88.0.2:80")).toBe("");
    const rules = ["-A FORWARD -i sampan+ -j ACCEPT", "-A FORWARD -o sampan+ -j ACCEPT"];
    const [four = "", six = ""] = before.split(/(?<=\n)(?=-P FORWARD DROP$)/m);
    expect((await shell(n, chain)).split("\n")).toEqual([...four.trim().split("\n"), ...rules, six, ...rules]);
    await shell(n, "iptables-nft -F FORWARD");
    await n.run(`await networks.reload(); await networks.reload();`);
    expect(await shell(n, "iptables-nft -S FORWARD")).toBe(["-P FORWARD DROP", ...rules].join("\n"));
    expect(await n.asks("lan", "TCP:192.0.2.1:8080")).toBe("192.0.2.2");
    await n.run(`
      for (const c of ["a", "b"]) await networks.detach(c);
      for (const { name } of networks.list()) await networks.remove(name);`);
    expect(await shell(n, chain)).toBe("-P FORWARD DROP\n-P FORWARD DROP");
  });

  it("works beside rules like kube-proxy's and podman's, and outlives their flush", async () => {
    await using n = await NetworkHost.create();
    await n.container("a", "b");
    await shell(
      n,
      `iptables-nft -t nat -N KUBE-SERVICES
       iptables-nft -t nat -A PREROUTING -j KUBE-SERVICES
       iptables-nft -t nat -A OUTPUT -j KUBE-SERVICES
       iptables-nft -t nat -A KUBE-SERVICES -d 10.96.0.1 -p tcp --dport 443 -j DNAT --to-destination 10.88.0.2:80
       iptables-nft -t nat -A POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE
       iptables-nft -A FORWARD -m conntrack --ctstate INVALID -j DROP
       nft add table inet netavark
       nft add chain inet netavark PREROUTING '{ type nat hook prerouting priority dstnat; policy accept; }'
       nft add rule inet netavark PREROUTING fib daddr type local tcp dport 8080 dnat ip to 10.200.0.9:80`,
    );
    await n.run(`
      await attach("a", { network: "bridge", ports: parsePublish("8081:80") });
      await attach("b", { network: "bridge" });`);
    await n.serve("a", "TCP-LISTEN:80");
    expect(await n.asks("b", "TCP:10.96.0.1:443")).toBe("10.88.0.1");
    expect(await n.asks("lan", "TCP:192.0.2.1:8081")).toBe("192.0.2.2");
    await shell(n, "iptables-nft -t nat -F; nft delete table inet netavark");
    expect(await n.asks("lan", "TCP:192.0.2.1:8081")).toBe("192.0.2.2");
  });

  it("leads a UDP client that goes on to the container that has the port now", async () => {
    await using n = await NetworkHost.create();
    await n.container("a", "b");
    const asks = async () => await n.asks("lan", "UDP:192.0.2.1:5353,sourceport=4444");
    await n.run(`await attach("a", { network: "bridge", ports: parsePublish("5353:53/udp") });`);
    await n.serve("a", "UDP-LISTEN:53");
    expect(await asks()).toBe("192.0.2.2");
    await n.run(`
      await networks.detach("a");
      await attach("b", { network: "bridge", ports: parsePublish("5353:53/udp") });`);
    await n.serve("b", "UDP-LISTEN:53");
    expect(await asks()).toBe("192.0.2.2");
  });

  it("lets containers reach no link-local metadata address, unless it is told to", async () => {
    await using n = await NetworkHost.create();
    await n.container("a", "b");
    await shell(
      n,
      `ip -n lan address add 169.254.169.254/32 dev lo; ip -n lan address add fd00:ec2::254/128 dev lo
       ip route add 169.254.169.254/32 via 192.0.2.2; ip -6 route add fd00:ec2::254/128 via 2001:db8::2`,
    );
    await n.run(`
      await networks.create({ name: "plain", ipv6: true });
      await networks.create({ name: "cloud", ipv6: true, options: { metadata: "true" } });
      await attach("a", { network: "plain" }); await attach("b", { network: "cloud" });`);
    await n.serve("lan", "TCP6-LISTEN:80,ipv6only=0");
    const metadata = ["TCP:169.254.169.254:80", "TCP6:[fd00:ec2::254]:80"];
    const seen = async (name: string) =>
      await Promise.all(metadata.map(async (address) => (await n.asks(name, address)) !== ""));
    expect([await seen("a"), await seen("b")]).toEqual([
      [false, false],
      [true, true],
    ]);
  });

  it("has no link-local address of the kernel's without IPv6", async () => {
    await using n = await NetworkHost.create();
    await n.container("a");
    await n.run(`await attach("a", { network: "bridge" });`);
    const own = "ip -6 -o address show dev sampan0; ip -n a -6 -o address show dev eth0";
    expect(await shell(n, own)).toBe("");
  });

  it("limits what a container sends and receives", async () => {
    await using n = await NetworkHost.create();
    await n.container("a");
    await n.run(`
      await networks.create({ name: "slow", options: { rate: "8mbit", burst: "20k" } });
      await attach("a", { network: "slow" });`);
    expect(await shell(n, "tc -n a qdisc show dev eth0")).toMatch(/tbf .*rate 8Mbit burst 20(Kb|480b)/);
    const megabyte = "head -c 1000000 /dev/zero";
    const transfer = async (server: string, client: string, address: string): Promise<number> => {
      const from = (name: string, words: string) => (name === "" ? words : `ip netns exec ${name} ${words}`);
      const listening = n.host.spawn(["sh", "-c", from(server, "socat -u TCP-LISTEN:7777,reuseaddr OPEN:/dev/null")]);
      await shell(n, `until ${from(server, "ss -Hltn")} | grep -q :7777; do sleep 0.05; done`);
      const began = performance.now();
      await shell(n, `${megabyte} | ${from(client, `socat -u - TCP:${address}:7777`)}`);
      await listening.exited;
      return performance.now() - began;
    };
    // A second each; what waits in buffers of the sender is sent when it has ended.
    expect(await transfer("lan", "a", "192.0.2.2")).toBeGreaterThan(700);
    expect(await transfer("a", "", "10.89.0.2")).toBeGreaterThan(700);
  });
});

describe("a macvlan network", { timeout: 180_000 }, () => {
  it("puts containers on the host's link, with addresses of it, and takes nothing but its own away", async () => {
    await using n = await NetworkHost.create();
    await n.container("a", "b");
    const interfaces = () => n.host.must(["ls", "/sys/class/net"]);
    const before = await interfaces();
    const lan = `{ name: "lan", driver: "macvlan", options: { parent: "out0" }, subnets: ["192.0.2.0/24", "2001:db8::/64"], gateways: ["192.0.2.2"], ipRanges: ["192.0.2.64/26"] }`;
    const found = await n.run<unknown[]>(`
      await networks.create(${lan});
      const a = await attach("a", { network: "lan" });
      const b = await attach("b", { network: "lan", addresses: ["192.0.2.200"] });
      const more = await refused(() => networks.create({ ...${lan}, name: "again" }));
      return [a.addresses, b.addresses, more];`);
    expect(found).toEqual([
      ["192.0.2.64/24", "2001:db8::2/64"],
      ["192.0.2.200/24", "2001:db8::3/64"],
      ["failed-precondition", 'Cannot use subnet "192.0.2.0/24": it overlaps with 192.0.2.0/24 of network "lan"'],
    ]);
    await n.serve("lan", "TCP-LISTEN:7000");
    expect(await n.asks("a", "TCP:192.0.2.2:7000")).toBe("192.0.2.64");
    expect(await n.pings("b", "192.0.2.64")).toBe(true);
    expect(await interfaces()).toBe(before);
    await n.run(`
      await networks.detachRunning("b", "/run/netns/b", "lan");
      await networks.detach("a"); await networks.remove("lan");`);
    expect(await n.host.must(["ip", "-n", "b", "-br", "link"])).not.toContain("eth0");
    expect(await interfaces()).toBe(before);
  });

  it("without a parent connects its containers only", async () => {
    await using n = await NetworkHost.create();
    await n.container("a", "b");
    const before = await n.host.must(["ls", "/sys/class/net"]);
    await n.run(`
      await networks.create({ name: "island", driver: "macvlan" });
      await attach("a", { network: "island" }); await attach("b", { network: "island" });`);
    expect(await n.pings("a", "10.89.0.3")).toBe(true);
    expect(await n.in("a", "ip", "route")).toMatchObject({
      stdout: "10.89.0.0/24 dev eth0 proto kernel scope link src 10.89.0.2 \n",
    });
    await n.run(`await networks.detach("a"); await networks.detach("b"); await networks.remove("island");`);
    expect(await n.host.must(["ls", "/sys/class/net"])).toBe(before);
  });
});
