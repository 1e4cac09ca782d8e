/** Containers that may not reach everything, with real connections, a name server outside, and somebody who cheats. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NetworkHost } from "../support/network-host.ts";

let n: NetworkHost;

const dnsmasq =
  "ip netns exec lan dnsmasq --keep-in-foreground --no-resolv --no-hosts --bind-interfaces --user=root --pid-file= --local-ttl=1";

/** Whether a connection comes about: `yes`, `refused` by an ICMP message, or `no`. IPv6's messages are limited to few. */
async function reaches(from: string, to: string): Promise<string> {
  const options = to.startsWith("TCP") ? ",connect-timeout=1" : "";
  const { stdout, stderr } = await n.in(from, "sh", "-c", `echo x | socat -t1 -T1 - ${to}${options}`);
  if (stdout.trim() !== "") return "yes";
  return to.startsWith("TCP6") || /No route|Permission|refused/.test(stderr) ? "refused" : "no";
}

const resolves = async (from: string, name: string, server = "10.61.0.1"): Promise<string> =>
  (await n.in(from, "dig", "+short", "+tries=1", "+time=3", `@${server}`, name)).stdout.trim().split("\n").at(-1) ?? "";

/** What nft shows of a set's elements. */
const elements = async (family: string, set: string): Promise<string> => {
  const { stdout } = await n.in("", "nft", "list", "set", family, "sampan-egress", set);
  return /elements = \{([^}]*)\}/.exec(stdout)?.[1]?.replaceAll(/\s+/g, " ").trim() ?? "";
};

const attach = async (name: string, egress: readonly string[], network = "front"): Promise<void> => {
  await n.container(name);
  await n.setAlive(name, true);
  await n.run(
    `await attach(${JSON.stringify(name)}, { network: ${JSON.stringify(network)}, names: [${JSON.stringify(name)}], egress: parseEgress(${JSON.stringify(egress)}) });`,
  );
};

beforeAll(async () => {
  n = await NetworkHost.create();
  for (const address of ["192.0.2.3", "192.0.2.4", "192.0.2.5", "10.200.0.1"])
    await n.host.must(["ip", "-n", "lan", "address", "add", `${address}/32`, "dev", "eth0"]);
  await n.host.must(["ip", "route", "add", "10.200.0.1", "via", "192.0.2.2"]);
  const records = [
    "web.example.com,192.0.2.3",
    "api.example.com,192.0.2.4,2001:db8::2",
    "other.example.net,192.0.2.5",
    "evil.example.com,10.200.0.1",
    "evil.example.com,169.254.169.254",
    "dns.example.com,192.0.2.2",
  ].map((record) => `--host-record=${record}`);
  n.host.spawn([
    ...dnsmasq.split(" "),
    "--listen-address=192.0.2.2",
    "--cname=www.example.org,web.example.com",
    ...records,
  ]);
  await n.host.must([
    "sh",
    "-c",
    "echo nameserver 192.0.2.2 > /run/resolv.conf; mount --bind /run/resolv.conf /etc/resolv.conf",
  ]);
  for (const port of [80, 443]) {
    await n.serve("lan", `TCP-LISTEN:${port}`);
    await n.serve("lan", `TCP6-LISTEN:${port},ipv6only=1`);
  }
  for (const address of ["192.0.2.3", "192.0.2.5"]) await n.serve("lan", `UDP-LISTEN:7,bind=${address}`);
  await n.serve("", "TCP-LISTEN:2222");
  await n.run(`
    await networks.create({ name: "front", subnets: ["10.61.0.0/24", "fd00:61::/64"] });`);
  await n.container("peer");
  await n.setAlive("peer", true);
  await n.run(
    `await attach("peer", { network: "front", names: ["peer"] }); await names.ensure(store.network("front"));`,
  );
  await n.serve("peer", "TCP-LISTEN:80");
  await n.serve("peer", "UDP-LISTEN:7");
  await attach("named", ["allow=web.example.com,*.example.org:443,api.example.com:80/tcp,dns.example.com"]);
  await attach("listed", ["allow=192.0.2.3:80/tcp,192.0.2.0/24:7/udp,192.0.2.4,[2001:db8::/64]:443,10.61.0.2:80"]);
  await attach("nothing", ["none"]);
}, 180_000);
afterAll(async () => n[Symbol.asyncDispose]());

describe("egress allow=DOMAIN", { timeout: 120_000 }, () => {
  it("opens what our name server has answered, and nothing else", async () => {
    expect(await reaches("named", "TCP:192.0.2.3:80")).toBe("refused");
    expect(await resolves("named", "web.example.com")).toBe("192.0.2.3");
    expect(await reaches("named", "TCP:192.0.2.3:80")).toBe("yes");
    expect(await reaches("named", "UDP:192.0.2.3:7")).toBe("yes");
    expect(await n.pings("named", "192.0.2.3")).toBe(true);
    expect(await reaches("named", "TCP:192.0.2.4:80")).toBe("refused");
    // By TCP, over IPv6, and one port only.
    const api = await n.in("named", "dig", "+short", "+tcp", "@fd00:61::1", "api.example.com", "AAAA");
    expect(api.stdout.trim()).toBe("2001:db8::2");
    expect(await reaches("named", "TCP6:[2001:db8::2]:80")).toBe("yes");
    expect(await reaches("named", "TCP6:[2001:db8::2]:443")).toBe("refused");
    expect(await reaches("named", "TCP:192.0.2.4:80")).toBe("refused");
    // Others are not restricted, and nobody else profits.
    expect(await reaches("peer", "TCP:192.0.2.5:80")).toBe("yes");
    expect(await reaches("nothing", "TCP:192.0.2.3:80")).toBe("refused");
  });

  it("follows aliases, from the cache as well", async () => {
    expect(await resolves("peer", "www.example.org")).toBe("192.0.2.3");
    expect(await reaches("named", "TCP:192.0.2.3:443")).toBe("yes");
    await n.host.must(["nft", "flush", "set", "inet", "sampan-egress", "named4"]);
    expect(await reaches("named", "TCP:192.0.2.3:443")).toBe("refused");
    expect(await resolves("named", "www.example.org")).toBe("192.0.2.3");
    expect([await reaches("named", "TCP:192.0.2.3:443"), await reaches("named", "TCP:192.0.2.3:80")]).toEqual([
      "yes",
      "refused",
    ]);
  });

  it("refuses other names without asking for them, and addresses that no public name has", async () => {
    const { stdout } = await n.in("named", "dig", "@10.61.0.1", "other.example.net");
    expect(stdout).toMatch(/status: NXDOMAIN/);
    expect(stdout).toMatch(/EDE: 18 \(Prohibited\): \(not on the egress list\)/);
    expect(await resolves("peer", "other.example.net")).toBe("192.0.2.5");
    await attach("fooled", ["allow=evil.example.com"]);
    expect(["10.200.0.1", "169.254.169.254"]).toContain(await resolves("fooled", "evil.example.com"));
    expect(await reaches("fooled", "TCP:10.200.0.1:80")).toBe("refused");
    expect(await reaches("peer", "TCP:10.200.0.1:80")).toBe("yes");
    await expect
      .poll(async () =>
        n.run(`return (await import("#network")).readRefusedNames(process.env.SAMPAN_STATE + "/dns", "fooled");`),
      )
      .toMatchObject([{ name: "evil.example.com", reason: "private-address" }]);
    const refused = await n.run<{ name: string; reason: string }[]>(
      `return (await import("#network")).readRefusedNames(process.env.SAMPAN_STATE + "/dns", "named");`,
    );
    expect(refused).toMatchObject([{ name: "other.example.net", reason: "not-allowed", count: 1 }]);
  });

  it("lets nobody ask other name servers, not even one that is allowed by its name", async () => {
    expect(await resolves("named", "dns.example.com")).toBe("192.0.2.2");
    expect(await reaches("named", "TCP:192.0.2.2:80")).toBe("yes");
    const direct = await n.in("named", "dig", "+short", "+tries=1", "+time=1", "@192.0.2.2", "other.example.net");
    expect(direct.code).not.toBe(0);
    expect(
      await n.run(`return (await networks.refusedPackets("named")).filter(({ port }) => port === 53);`),
    ).toMatchObject([{ from: "10.61.0.3", to: "192.0.2.2", protocol: "udp", port: 53 }]);
  });
});

describe("egress allow=CIDR", { timeout: 120_000 }, () => {
  it("opens addresses, protocols and ports as they are written", async () => {
    const tried: Record<string, string> = {};
    for (const to of [
      ...["TCP:192.0.2.3:80", "TCP:192.0.2.3:443", "UDP:192.0.2.5:7", "TCP:192.0.2.5:80", "TCP:192.0.2.4:443"],
      ...["TCP6:[2001:db8::2]:443", "TCP6:[2001:db8::2]:80", "TCP:192.0.2.1:2222", "TCP:10.61.0.1:2222"],
    ])
      tried[to] = await reaches("listed", to);
    expect(tried).toEqual({
      "TCP:192.0.2.3:80": "yes",
      "TCP:192.0.2.3:443": "refused",
      "UDP:192.0.2.5:7": "yes",
      "TCP:192.0.2.5:80": "refused",
      "TCP:192.0.2.4:443": "yes",
      "TCP6:[2001:db8::2]:443": "yes",
      "TCP6:[2001:db8::2]:80": "refused",
      "TCP:192.0.2.1:2222": "refused",
      "TCP:10.61.0.1:2222": "refused",
    });
    expect(await reaches("peer", "TCP:10.61.0.1:2222")).toBe("yes");
    expect(await n.pings("listed", "192.0.2.4")).toBe(true);
    expect(await n.pings("listed", "192.0.2.3")).toBe(false);
    // An address is no name.
    expect(await resolves("listed", "web.example.com")).toBe("");
  });
});

describe("egress none", { timeout: 120_000 }, () => {
  it("lets nothing out, and lets answers go", async () => {
    for (const to of ["TCP:192.0.2.3:80", "UDP:192.0.2.3:7", "TCP:10.61.0.2:80", "UDP:10.61.0.2:7"])
      expect([to, (await reaches("nothing", to)) === "yes"]).toEqual([to, false]);
    expect(await resolves("nothing", "web.example.com")).toBe("");
    expect(await resolves("nothing", "peer")).toBe("10.61.0.2");
    await n.serve("nothing", "TCP-LISTEN:80");
    await n.serve("nothing", "UDP-LISTEN:7");
    const [address = ""] = await n.run<string[]>(`return store.endpoints({ container: "nothing" })[0].addresses;`);
    const own = address.replace(/\/.*/, "");
    expect(await reaches("peer", `TCP:${own}:80`)).toBe("yes");
    expect(await reaches("peer", `UDP:${own}:7`)).toBe("yes");
    expect(await n.pings("peer", own)).toBe(true);
    expect(await n.pings("nothing", "10.61.0.2")).toBe(false);
  });

  it("tells what was refused, and how often", async () => {
    const refused = await n.run<{ to: string; protocol: string; port?: number; packets: number; age: number }[]>(
      `return await networks.refusedPackets("nothing");`,
    );
    expect(refused).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ to: "192.0.2.3", protocol: "tcp", port: 80 }) as unknown,
        expect.objectContaining({ to: "10.61.0.2", protocol: "tcp", port: 80 }) as unknown,
        expect.objectContaining({ to: "192.0.2.3", protocol: "udp", port: 7 }) as unknown,
      ]),
    );
    for (const { packets, age } of refused) expect([packets > 0, age < 600_000]).toEqual([true, true]);
  });

  it("is not evaded by another address, by another one's, or by a peer", async () => {
    // As one with NET_ADMIN and NET_RAW may do.
    await n.host.must(["ip", "-n", "nothing", "address", "add", "10.61.0.99/24", "dev", "eth0"]);
    await n.host.must(["ip", "-n", "nothing", "address", "add", "fd00:61::99/64", "dev", "eth0", "nodad"]);
    expect(await reaches("nothing", "TCP:192.0.2.3:80,bind=10.61.0.99")).toBe("no");
    expect(await reaches("nothing", "TCP6:[2001:db8::2]:80,bind=[fd00:61::99]")).toBe("refused");
    expect(await reaches("nothing", "TCP:10.61.0.2:80,bind=10.61.0.99")).toBe("no");
    await n.host.must(["ip", "-n", "nothing", "address", "del", "10.61.0.99/24", "dev", "eth0"]);
    await n.host.must(["ip", "-n", "nothing", "address", "del", "fd00:61::99/64", "dev", "eth0"]);
    // The peer that a list names is open, at its port.
    expect(await reaches("listed", "TCP:10.61.0.2:80")).toBe("yes");
    expect(await reaches("listed", "UDP:10.61.0.2:7")).toBe("no");
  });
});

describe("the rules of egress", { timeout: 120_000 }, () => {
  it("are put back with what names have opened, after a flush too", async () => {
    expect(await resolves("named", "web.example.com")).toBe("192.0.2.3");
    const before = await elements("inet", "named4");
    expect(before).toMatch(/10\.61\.0\.3 \. 192\.0\.2\.3 timeout/);
    await n.run(`await networks.reload();`);
    expect(await elements("inet", "named4")).toMatch(/10\.61\.0\.3 \. 192\.0\.2\.3 timeout/);
    expect(await reaches("named", "TCP:192.0.2.3:80")).toBe("yes");
    await n.host.must(["nft", "flush", "ruleset"]);
    await n.run(`await networks.reload(); await names.ensure(store.network("front"));`);
    expect(await reaches("named", "TCP:192.0.2.3:80")).toBe("yes");
    expect(await reaches("nothing", "TCP:192.0.2.3:80")).toBe("refused");
    // Without anybody's doing, by the process that answers names.
    await n.host.must(["nft", "delete", "table", "inet", "sampan-egress"]);
    await expect.poll(async () => reaches("nothing", "TCP:192.0.2.3:80"), { timeout: 8000 }).toBe("refused");
    expect(await reaches("named", "TCP:192.0.2.3:80")).toBe("yes");
  });

  it("survive the end of the process that answers names", async () => {
    await n.host.must(["pkill", "-9", "-f", "sampan-dns.cjs"]);
    expect(await reaches("named", "TCP:192.0.2.3:80")).toBe("yes");
    expect(await reaches("nothing", "TCP:192.0.2.3:80")).toBe("refused");
    await n.run(`await names.ensure(store.network("front"));`);
    expect(await resolves("named", "web.example.com")).toBe("192.0.2.3");
  });

  it("are of one container, and go with the last", async () => {
    // Whoever gets the address next has what is his own.
    await n.container("next");
    await n.setAlive("next", true);
    await n.run(`
      await networks.detach("named");
      await attach("next", { network: "front", addresses: ["10.61.0.3"], egress: parseEgress(["none"]) });`);
    expect(await reaches("next", "TCP:192.0.2.3:80")).toBe("refused");
    await n.run(`
      await networks.detach("next");
      await attach("next", { network: "front", addresses: ["10.61.0.3"] });`);
    expect(await reaches("next", "TCP:192.0.2.5:80")).toBe("yes");
    await n.run(`for (const name of ["listed", "nothing", "fooled"]) await networks.detach(name);`);
    expect(await n.host.must(["nft", "list", "tables"])).toBe("table inet sampan");
  });
});
