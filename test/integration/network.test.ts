/** Built-in networks on the real kernel: who reaches whom, and what is left. */
import { describe, expect, it } from "vitest";
import type { Attachment } from "#network";
import { NetworkHost } from "../support/network-host.ts";

describe("a bridge network", { timeout: 180_000 }, () => {
  it("connects containers to each other and to the world, hidden behind the host", async () => {
    await using n = await NetworkHost.create();
    await n.container("a", "b");
    const [a, b] = await n.run<Attachment[]>(`
      return [await attach("a", { network: "bridge", names: ["alpha"] }), await attach("b", { network: "bridge", names: ["beta"] })];`);
    expect(a).toEqual({
      interfaces: [{ name: "eth0", mac: "0a:58:0a:58:00:02", mtu: 1500 }],
      addresses: ["10.88.0.2/16"],
      gateways: ["10.88.0.1"],
      ports: [],
      hostsEntries: [{ address: "10.88.0.2", names: ["alpha"] }],
    });
    expect(b?.hostsEntries).toEqual([
      { address: "10.88.0.3", names: ["beta"] },
      { address: "10.88.0.2", names: ["alpha"] },
    ]);
    expect(await n.pings("a", "10.88.0.3")).toBe(true);
    expect(await n.pings("a", "10.88.0.1")).toBe(true);
    await n.serve("lan", "TCP-LISTEN:7000");
    expect(await n.asks("a", "TCP:192.0.2.2:7000")).toBe("192.0.2.1");
    // What nobody has published is not to be reached from outside, with a route either.
    await n.serve("b", "TCP-LISTEN:80");
    await n.host.must(["ip", "-n", "lan", "route", "add", "10.88.0.0/16", "via", "192.0.2.1"]);
    expect(await n.asks("a", "TCP:10.88.0.3:80")).toBe("10.88.0.2");
    expect(await n.asks("", "TCP:10.88.0.3:80")).toBe("10.88.0.1");
    expect(await n.asks("lan", "TCP:10.88.0.3:80")).toBe("");
    expect(await n.pings("lan", "10.88.0.3")).toBe(false);
    const link = JSON.parse(await n.host.must(["ip", "-n", "a", "-json", "address", "show"])) as object[];
    expect(link).toMatchObject([
      { ifname: "lo", flags: expect.arrayContaining(["UP"]) as unknown },
      { ifname: "eth0", ifindex: 2, addr_info: [{ local: "10.88.0.2", prefixlen: 16 }] },
    ]);
  });

  it("publishes ports, and keeps the source's address", async () => {
    await using n = await NetworkHost.create();
    await n.container("a", "b");
    await n.run(`
      await attach("a", { network: "bridge", ports: ["8080:80", "127.0.0.1:9090:90", "5353:53/udp"].flatMap(parsePublish) });
      await attach("b", { network: "bridge" });`);
    await n.serve("a", "TCP-LISTEN:80");
    await n.serve("a", "TCP-LISTEN:90");
    await n.serve("a", "UDP-LISTEN:53");
    expect(await n.asks("lan", "TCP:192.0.2.1:8080")).toBe("192.0.2.2");
    expect(await n.asks("lan", "UDP:192.0.2.1:5353")).toBe("192.0.2.2");
    expect(await n.asks("", "TCP:127.0.0.1:8080")).toBe("10.88.0.1");
    expect(await n.asks("", "TCP:127.0.0.1:9090")).toBe("10.88.0.1");
    expect(await n.asks("", "TCP:192.0.2.1:8080")).toBe("192.0.2.1");
    expect(await n.asks("b", "TCP:192.0.2.1:8080")).toBe("10.88.0.1");
    expect(await n.asks("a", "TCP:192.0.2.1:8080")).toBe("10.88.0.1");
    expect(await n.asks("lan", "TCP:192.0.2.1:9090")).toBe("");
  });

  it("is isolated from others, and an internal one from everything", async () => {
    await using n = await NetworkHost.create();
    await n.container("a", "b", "c", "d");
    const inside = await n.run<Attachment>(`
      await networks.create({ name: "other" });
      await networks.create({ name: "inner", internal: true });
      await attach("a", { network: "bridge" });
      await attach("b", { network: "other", ports: parsePublish("8080:80") });
      await attach("c", { network: "inner" });
      return await attach("d", { network: "inner" });`);
    expect([inside.addresses, inside.gateways]).toEqual([["10.89.1.3/24"], []]);
    await n.serve("b", "TCP-LISTEN:80");
    expect(await n.pings("a", "10.89.0.2")).toBe(false);
    expect(await n.asks("a", "TCP:10.89.0.2:80")).toBe("");
    expect(await n.asks("a", "TCP:192.0.2.1:8080")).toBe("10.88.0.2");
    expect(await n.pings("c", "10.89.1.3")).toBe(true);
    await n.host.must(["ip", "-n", "c", "route", "add", "default", "via", "10.89.1.1"]);
    expect(await n.pings("c", "192.0.2.2")).toBe(false);
    expect(await n.pings("c", "10.88.0.2")).toBe(false);
  });

  it("speaks IPv6", async () => {
    await using n = await NetworkHost.create();
    await n.container("a", "b");
    const both = await n.run<Attachment[]>(`
      await networks.create({ name: "six", subnets: ["fd00:6::/64", "10.66.0.0/24"], gateways: ["10.66.0.254"] });
      return [await attach("a", { network: "six", ports: parsePublish("8080:80") }), await attach("b", { network: "six", addresses: ["fd00:6::b0"] })];`);
    expect(both.map(({ addresses, gateways }) => [addresses, gateways])).toEqual([
      [
        ["10.66.0.1/24", "fd00:6::2/64"],
        ["10.66.0.254", "fd00:6::1"],
      ],
      [
        ["10.66.0.2/24", "fd00:6::b0/64"],
        ["10.66.0.254", "fd00:6::1"],
      ],
    ]);
    await n.serve("a", "TCP6-LISTEN:80");
    await n.serve("lan", "TCP6-LISTEN:7000");
    expect(await n.pings("a", "fd00:6::b0")).toBe(true);
    expect(await n.asks("b", "TCP6:[2001:db8::2]:7000")).toBe("[2001:0db8:0000:0000:0000:0000:0000:0001]");
    expect(await n.asks("lan", "TCP6:[2001:db8::1]:8080")).toBe("[2001:0db8:0000:0000:0000:0000:0000:0002]");
  });
});

describe("Networks", { timeout: 180_000 }, () => {
  it("leaves nothing in the host after the last network", async () => {
    await using n = await NetworkHost.create();
    await n.container("a", "b");
    const interfaces = () => n.host.must(["ls", "/sys/class/net"]);
    const before = await interfaces();
    await n.run(`
      await networks.create({ name: "other", labels: { x: "y" } });
      await attach("a", { network: "bridge", ports: parsePublish("8000-8020:80-100") });
      await attach("a", { network: "other" });
      await attach("b", { network: "other" });`);
    expect((await interfaces()).split("\n")).toHaveLength(before.split("\n").length + 5);
    expect(await n.host.must(["ip", "-n", "a", "-br", "link"])).toMatch(/eth1/);
    const refusal = await n.run(`return await refused(() => networks.remove("other"));`);
    expect(refusal).toEqual(["failed-precondition", 'Cannot remove network "other": container a is on it']);
    await n.run(`
      await networks.detach("a"); await networks.detach("a"); await networks.detach("b", "other");
      await networks.remove("other"); await networks.remove("bridge");
      await refused(() => networks.remove("bridge"));`);
    expect(await interfaces()).toBe(before);
    expect(await n.host.must(["nft", "list", "ruleset"])).toBe("");
    expect(await n.host.must(["ip", "-n", "a", "-br", "link"])).not.toMatch(/eth/);
  });

  it("restores what somebody flushed, and repairs it for the next container", async () => {
    await using n = await NetworkHost.create();
    await n.container("a", "b", "c");
    await n.run(`await attach("a", { network: "bridge", ports: parsePublish("8080:80") });`);
    await n.serve("a", "TCP-LISTEN:80");
    await n.host.must(["nft", "flush", "ruleset"]);
    expect(await n.asks("lan", "TCP:192.0.2.1:8080")).toBe("");
    await n.host.must(["ip", "link", "add", "name", "sv0123456789ab", "type", "bridge"]);
    await n.run(`await networks.reload();`);
    expect(await n.asks("lan", "TCP:192.0.2.1:8080")).toBe("192.0.2.2");
    expect(await n.host.must(["ls", "/sys/class/net"])).not.toMatch(/sv0123456789ab/);
    await n.host.must(["nft", "flush", "ruleset"]);
    await n.run(`await attach("b", { network: "bridge" });`);
    expect(await n.asks("lan", "TCP:192.0.2.1:8080")).toBe("192.0.2.2");
    await n.host.must(["ip", "link", "delete", "sampan0"]);
    await n.run(`await attach("c", { network: "bridge" });`);
    expect(await n.pings("c", "192.0.2.2")).toBe(true);
    await n.run(`await networks.recover((container) => container === "c");`);
    expect(await n.run(`return networks.endpoints("bridge").map((e) => e.container);`)).toEqual(["c"]);
  });

  it("refuses what is taken, and leaves nothing of a container that it could not connect", async () => {
    await using n = await NetworkHost.create();
    await n.container("a", "b");
    await n.serve("", "TCP-LISTEN:7000");
    const [first, ...refusals] = await n.run<unknown[]>(`
      const first = await attach("a", { network: "bridge", ports: ["8080:80", "127.0.0.1::81"].flatMap(parsePublish) });
      const b = (options) => refused(() => attach("b", { network: "bridge", ...options }));
      return [
        first.ports.length,
        await refused(() => attach("a", { network: "bridge" })),
        await b({ ports: parsePublish("8080:80") }),
        await b({ ports: parsePublish("127.0.0.1:8080:80") }),
        await b({ ports: parsePublish("7000:80") }),
        await b({ addresses: ["10.88.0.2"] }),
        await b({ addresses: ["10.88.0.1"] }),
        await b({ addresses: ["10.89.0.9"] }),
        await b({ ports: parsePublish("[::1]:99:80") }),
        await refused(() => networks.attach("b", "/run/netns/none", { network: "bridge" })),
        await refused(() => attach("b", { network: "none-such" })),
        await refused(() => networks.create({ name: "x", subnets: ["192.0.2.0/25"] })),
        await refused(() => networks.create({ name: "x", subnets: ["10.88.128.0/24"] })),
      ];`);
    expect(first).toBe(2);
    expect(refusals).toEqual([
      ["already-exists", 'Cannot connect container "a" to network "bridge": it is on it'],
      ["already-exists", 'Cannot publish port "8080/tcp": container a has it'],
      ["already-exists", 'Cannot publish port "127.0.0.1:8080/tcp": container a has it'],
      ["already-exists", 'Cannot publish port "7000/tcp": a program of the host listens on it'],
      ["already-exists", 'Cannot use address "10.88.0.2" on network "bridge": another container has it'],
      ["invalid-argument", 'Cannot use address "10.88.0.1" on network "bridge": it is the gateway\'s'],
      ["invalid-argument", 'Cannot use address "10.89.0.9" on network "bridge": its subnets are 10.88.0.0/16'],
      ["unsupported", 'Cannot publish port 80 on "::1": there is no process to forward for'],
      ["not-found", 'Cannot connect container "b" to network "bridge": no such file or directory ("/run/netns/none")'],
      ["not-found", 'Cannot find network "none-such": it does not exist'],
      ["failed-precondition", 'Cannot use subnet "192.0.2.0/25": it overlaps with 192.0.2.0/24 of the host\'s routes'],
      ["failed-precondition", 'Cannot use subnet "10.88.128.0/24": it overlaps with 10.88.0.0/16 of network "bridge"'],
    ]);
    expect(await n.run(`return networks.endpoints("bridge").map((e) => e.container);`)).toEqual(["a"]);
  });

  it("leaves nothing after a crash between any two operations, once the next process has looked", async () => {
    await using n = await NetworkHost.create();
    await n.container("a");
    const before = await n.host.must(["ls", "/sys/class/net"]);
    const outcome = await n.run<{ crashes: number; left: unknown[] }>(`
      const { execFileSync } = await import("node:child_process");
      const { readdirSync } = await import("node:fs");
      // Runs as many operations as it may, and goes no further: to what called it that is as if the process had died.
      const live = async (budget) => {
        let died;
        const death = new Promise((resolve) => (died = resolve));
        const mortal = {
          async execute(program) {
            if (program.length > budget) {
              if (budget > 0) await executor.execute(program.slice(0, budget));
              died("died");
              await new Promise(() => {});
            }
            budget -= program.length;
            return await executor.execute(program);
          },
        };
        const dying = new Networks({ store, executor: mortal });
        const life = async () => {
          await dying.attach("a", "/run/netns/a", { network: "bridge", ports: parsePublish("8080:80") });
          await dying.detach("a");
          await dying.remove("bridge");
          return "lived";
        };
        return await Promise.race([life(), death]);
      };
      const left = [];
      for (let budget = 0; ; budget += 1) {
        const end = await live(budget);
        await networks.recover(() => false);
        await networks.reload();
        left.push([
          readdirSync("/sys/class/net").sort().join("\\n"),
          String(execFileSync("nft", ["list", "ruleset"])),
          store.endpoints().length,
          String(execFileSync("ip", ["-n", "a", "-o", "link"])).trim().split("\\n").length,
        ]);
        if (end === "lived") return { crashes: budget, left };
      }`);
    expect(outcome.crashes).toBeGreaterThan(12);
    expect(outcome.left).toEqual(outcome.left.map(() => [before, "", 0, 1]));
  });

  it("gives 200 containers at once an address each", async () => {
    await using n = await NetworkHost.create();
    const names = Array.from({ length: 200 }, (_, i) => `c${i}`);
    await n.host.must(["ip", "-batch", "-"], { input: names.map((name) => `netns add ${name}`).join("\n") });
    const half = (from: number) =>
      n.run<string[]>(`
        await networks.find("bridge");
        const names = Array.from({ length: 100 }, (_, i) => "c" + (i + ${from}));
        return (await Promise.all(names.map((name) => attach(name, { network: "bridge", ports: parsePublish("80") })))).flatMap((a) => a.addresses);`);
    const all = (await Promise.all([half(0), half(100)])).flat();
    expect(new Set(all).size).toBe(200);
    expect(await n.pings("c0", (all[199] ?? "").replace("/16", ""))).toBe(true);
  });
});
