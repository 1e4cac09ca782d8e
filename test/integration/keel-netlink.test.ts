/** keel's `netlink`, and the codecs, against the kernel; what `ip` and `nft` show of what was made. */
import { describe, expect, it } from "vitest";
import { KeelExecutor } from "#keel";
import { binaries } from "../support/keel-box.ts";
import { TestHost } from "../support/testhost.ts";
import {
  askNftables,
  askRoute,
  nftablesOperation,
  refusalOf,
  routeOperation,
} from "../../src/network/netlink/operation.ts";
import { macvlanModes } from "../../src/network/netlink/route/link.ts";
import { encodeRouteRequests, type RouteRequest } from "../../src/network/netlink/route/request.ts";

const refused = async (action: Promise<unknown>) =>
  refusalOf(
    await action.then(
      () => undefined,
      (error: unknown) => error,
    ),
  );

const link = (value: Extract<RouteRequest, { kind: "link" }>["value"], action: RouteRequest["action"] = "add") =>
  ({ kind: "link", action, value }) as const;

describe.each(binaries)("%s netlink", (_, binary) => {
  it("makes interfaces, addresses, routes, neighbours and rules as ip shows them", async () => {
    await using host = await TestHost.create();
    await using keel = new KeelExecutor(binary);
    const namespace = `/proc/${host.initPid}/ns/net`;
    const requests: RouteRequest[] = [
      link({
        name: "br0",
        mtu: 1400,
        address: "02:00:00:00:00:01",
        info: { kind: "bridge", stpState: 0, multicastSnooping: false },
      }),
      link({ index: 50, name: "v0", info: { kind: "veth", peer: { name: "v1", mtu: 1400 } }, mtu: 1400 }),
      link({ name: "v0", flags: 1, change: 1, alias: "one end" }, "change"),
      link({ name: "m0", link: 50, info: { kind: "macvlan", mode: macvlanModes.bridge } }),
      {
        kind: "address",
        action: "add",
        value: {
          family: 2,
          prefixLength: 24,
          index: 50,
          local: "10.1.2.3",
          address: "10.1.2.3",
          broadcast: "10.1.2.255",
        },
      },
      {
        kind: "address",
        action: "add",
        value: { family: 10, prefixLength: 64, index: 50, address: "fd00::3", flags: 2 },
      },
      {
        kind: "route",
        action: "add",
        value: {
          family: 2,
          destinationLength: 16,
          destination: "10.9.0.0",
          headerTable: 254,
          protocol: 4,
          routeType: 1,
          gateway: "10.1.2.1",
          output: 50,
          metrics: { mtu: 1300 },
        },
      },
      {
        kind: "neighbour",
        action: "add",
        value: { family: 2, index: 50, state: 0x80, destination: "10.1.2.9", address: "02:00:00:00:00:09" },
      },
      {
        kind: "rule",
        action: "add",
        value: { family: 2, action: 1, headerTable: 100, priority: 500, mark: 7, markMask: 15 },
      },
    ];
    await keel.execute([routeOperation("set up", requests, { namespace })]);
    const json = async (...args: string[]) => JSON.parse(await host.must(["ip", "-d", "-json", ...args])) as object[];
    expect(await json("link", "show", "br0")).toMatchObject([
      {
        ifname: "br0",
        mtu: 1400,
        address: "02:00:00:00:00:01",
        linkinfo: { info_kind: "bridge", info_data: { stp_state: 0, mcast_snooping: 0 } },
      },
    ]);
    expect(await json("address", "show", "v0")).toMatchObject([
      {
        ifindex: 50,
        mtu: 1400,
        ifalias: "one end",
        link: "v1",
        linkinfo: { info_kind: "veth" },
        addr_info: [
          { family: "inet", local: "10.1.2.3", prefixlen: 24, broadcast: "10.1.2.255", scope: "global" },
          { family: "inet6", local: "fd00::3", prefixlen: 64, nodad: true },
        ],
      },
    ]);
    expect(await json("link", "show", "m0")).toMatchObject([
      { link: "v0", linkinfo: { info_kind: "macvlan", info_data: { mode: "bridge" } } },
    ]);
    expect(await json("route", "show", "10.9.0.0/16")).toMatchObject([
      { dst: "10.9.0.0/16", gateway: "10.1.2.1", dev: "v0", protocol: "static", metrics: [{ mtu: 1300 }] },
    ]);
    expect(await json("neighbour", "show", "10.1.2.9")).toMatchObject([
      { dst: "10.1.2.9", lladdr: "02:00:00:00:00:09", state: ["PERMANENT"] },
    ]);
    expect(await json("rule", "show", "pref", "500")).toMatchObject([
      { priority: 500, fwmark: "0x7", fwmask: "0xf", table: "100" },
    ]);
  });

  it("gives back a dump of what ip made", async () => {
    await using host = await TestHost.create();
    await using keel = new KeelExecutor(binary);
    const namespace = `/proc/${host.initPid}/ns/net`;
    await host.must([
      "sh",
      "-ec",
      `
      ip link add name br0 type bridge stp_state 0 ageing_time 1000
      ip link add name v0 address 02:00:00:00:00:02 mtu 1450 type veth peer name v1
      ip link set v0 master br0 up
      ip link set dev v0 type bridge_slave hairpin on isolated on
      ip address add 10.3.0.1/24 dev br0
      ip link set br0 up
      ip route add 10.4.0.0/16 via 10.3.0.9
      for n in $(seq 300); do echo "link add name x$n type bridge"; done | ip -batch -`,
    ]);
    const all = await askRoute(keel, [{ kind: "link", action: "dump", value: {} }], { namespace });
    const names = all.map((reply) => (reply.kind === "link" ? reply.value.name : ""));
    expect(names).toHaveLength(304);
    const own = all.find((reply) => reply.kind === "link" && reply.value.name === "v0");
    const bridge = all.find((reply) => reply.kind === "link" && reply.value.name === "br0");
    expect(own).toMatchObject({
      kind: "link",
      deleted: false,
      value: {
        address: "02:00:00:00:00:02",
        mtu: 1450,
        master: bridge?.kind === "link" ? bridge.value.index : -1,
        info: { kind: "veth", port: { hairpin: true, isolated: true } },
      },
    });
    expect(bridge).toMatchObject({ value: { info: { kind: "bridge", stpState: 0, ageingTime: 1000 } } });
    const [address] = await askRoute(keel, [{ kind: "address", action: "dump", value: { family: 2 } }], {
      namespace,
    }).then((list) => list.filter((reply) => reply.kind === "address" && reply.value.label === "br0"));
    expect(address).toMatchObject({ value: { prefixLength: 24, local: "10.3.0.1" } });
    const routes = await askRoute(keel, [{ kind: "route", action: "dump", value: { family: 2 } }], { namespace });
    expect(routes.filter((r) => r.kind === "route" && r.value.gateway !== undefined)).toMatchObject([
      { value: { destination: "10.4.0.0", destinationLength: 16, gateway: "10.3.0.9", table: 254 } },
    ]);
    const one = await askRoute(keel, [{ kind: "link", action: "get", value: { name: "v1" } }], { namespace });
    expect(one).toMatchObject([{ kind: "link", value: { name: "v1", info: { kind: "veth" } } }]);
  });

  it("stops at the first refused message, and says which and why", async () => {
    await using host = await TestHost.create();
    await using keel = new KeelExecutor(binary);
    const namespace = `/proc/${host.initPid}/ns/net`;
    const bridge = (name: string) => link({ name, info: { kind: "bridge" } });
    const taken = keel.execute([
      routeOperation('make "a" twice', [bridge("a"), bridge("a"), bridge("b")], { namespace }),
    ]);
    await expect(taken).rejects.toMatchObject({
      code: "already-exists",
      message: 'Cannot make "a" twice: file exists ("message 2")',
    });
    expect(await host.must(["ls", "/sys/class/net"])).toBe("a\nlo");
    const gateway: RouteRequest = {
      kind: "route",
      action: "add",
      value: { family: 2, headerTable: 254, protocol: 4, routeType: 1, gateway: "10.1.2.1" },
    };
    const unreachable = keel.execute([routeOperation("set up", [bridge("c"), gateway], { namespace })]);
    expect(await refused(unreachable)).toMatchObject({
      request: 1,
      reason: "Nexthop has invalid gateway",
      error: { fields: { errno: 101 } },
    });
  });

  it("changes the packet filter by whole batches only", async () => {
    await using host = await TestHost.create();
    await using keel = new KeelExecutor(binary);
    const namespace = `/proc/${host.initPid}/ns/net`;
    const table = (name: string) => ({ kind: "table", action: "create", family: "inet", value: { name } }) as const;
    await keel.execute([nftablesOperation("make a table", [table("one")], { namespace })]);
    const again = keel.execute([
      nftablesOperation("make tables", [table("two"), table("one"), table("three")], { namespace }),
    ]);
    expect(await refused(again)).toMatchObject({ request: 1, error: { code: "already-exists" } });
    expect(await host.must(["nft", "list", "tables"])).toBe("table inet one");
    const listed = await askNftables(keel, [{ kind: "table", action: "dump", value: {} }], { namespace });
    expect(listed).toMatchObject([{ kind: "table", value: { family: 1, name: "one" } }]);
  });

  it("takes a batch of thousands of messages", async () => {
    await using host = await TestHost.create();
    await using keel = new KeelExecutor(binary);
    const namespace = `/proc/${host.initPid}/ns/net`;
    const chains = Array.from({ length: 5000 }, (_, n) => ({
      kind: "chain" as const,
      action: "add" as const,
      family: "inet" as const,
      value: { table: "t", name: `chain-number-${n}` },
    }));
    await keel.execute([
      nftablesOperation(
        "make chains",
        [{ kind: "table", action: "add", family: "inet", value: { name: "t" } }, ...chains],
        { namespace },
      ),
    ]);
    const dump = await askNftables(keel, [{ kind: "chain", action: "dump", family: "inet", value: {} }], { namespace });
    expect(dump).toHaveLength(5000);
  });

  it("refuses what is no namespace, no message and no socket", async () => {
    await using keel = new KeelExecutor(binary);
    const messages = encodeRouteRequests([{ kind: "link", action: "dump", value: {} }]);
    const operation = {
      op: "netlink",
      protocol: 0,
      messages,
      networkNamespace: "",
      descriptors: [],
      purpose: "ask",
    } as const;
    await expect(keel.execute([{ ...operation, networkNamespace: "/etc/passwd" }])).rejects.toMatchObject({
      message: 'Cannot ask: invalid argument ("/etc/passwd")',
    });
    await expect(keel.execute([{ ...operation, descriptors: ["/etc"] }])).rejects.toMatchObject({
      fields: { errno: 22 },
    });
    for (const size of [1, 15, 17, 31])
      await expect(keel.execute([{ ...operation, messages: messages.subarray(0, size) }])).rejects.toMatchObject({
        fields: { errno: 22, path: "no netlink message" },
      });
    await expect(keel.execute([{ ...operation, protocol: 31 }])).rejects.toMatchObject({ code: "failed-precondition" });
  });
});
