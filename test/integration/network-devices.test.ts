/** Network devices of a host moved into containers: in a test host, which has a network of its own. */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { keelPath } from "#keel";
import { buildKeel } from "../support/monitored.ts";
import { PlannedBox } from "../support/planned-box.ts";
import { TestHost } from "../support/testhost.ts";

beforeAll(buildKeel);

/** A keel in the network of the host. */
function hostKeel(host: TestHost, keel = keelPath()): string {
  const file = join(host.files, "keel");
  writeFileSync(file, `#!/bin/sh\nexec nsenter --net=/proc/${host.initPid}/ns/net ${keel} "$@"\n`);
  chmodSync(file, 0o755);
  return file;
}

const addresses = [
  "ip link add v0 type veth peer name v1",
  "ip link set v0 mtu 1400 address 02:00:00:00:00:01",
  "ip addr add 10.1.0.2/24 brd 10.1.0.255 dev v0",
  "ip addr add 10.1.0.3 peer 10.9.0.1/32 dev v0",
  "ip addr add 169.254.3.3/16 scope link dev v0",
  "ip -6 addr add 2001:db8::5/64 nodad dev v0",
  "ip link set v0 up",
].join(" && ");
const show = (name: string): string =>
  `ip -o link show ${name} | sed 's/@.*<\\([^>]*\\)> mtu \\([0-9]*\\).*/ \\1 \\2/'; cat /sys/class/net/${name}/address
   ip -o addr show ${name} | grep -v fe80 | tr -s ' ' | cut -d' ' -f2-7 | sed 's/ scope.*/ scope/'`;
const commands = ["ip", "sed", "grep", "tr", "cut", "ls", "wc"];

describe("network devices", () => {
  it("are moved with their addresses of global scope, renamed, and brought up", async () => {
    await using host = await TestHost.create();
    await host.must(["sh", "-c", addresses]);
    await using box = new PlannedBox(commands, hostKeel(host));
    const { lines } = await box.run(box.config(show("eth0"), {}, { netDevices: { v0: { name: "eth0" } } }));
    expect(lines).toEqual([
      expect.stringMatching(/^\d+: eth0 .*,UP\b.* 1400$/) as string,
      "02:00:00:00:00:01",
      "eth0 inet 10.1.0.2/24 brd 10.1.0.255 scope",
      "eth0 inet 10.1.0.3 peer 10.9.0.1/32 scope",
      "eth0 inet6 2001:db8::5/64 scope",
    ]);
    // It was in the container's namespace, and went with it.
    expect((await host.run(["ip", "link", "show", "v0"])).code).toBe(1);
  });

  it("go to a namespace that is joined, where they stay; the kernel numbers a template", async () => {
    await using host = await TestHost.create();
    await host.must([
      "sh",
      "-c",
      `${addresses} && ip link add w0 type veth peer name w1 && ip link add eth0 type bridge`,
    ]);
    await host.must(["sh", "-c", "mkdir -p /run/netns && ip netns add n && ip -n n link add eth0 type bridge"]);
    const path = `/proc/${host.initPid}/root/run/netns/n`;
    await using box = new PlannedBox(commands, hostKeel(host));
    const namespaces = [
      { type: "mount" },
      { type: "pid" },
      { type: "ipc" },
      { type: "uts" },
      { type: "network", path },
    ];
    const netDevices = { v0: { name: "eth%d" }, w0: {} };
    expect((await box.run(box.config("ls /sys/class/net", {}, { namespaces, netDevices }))).status).toBe(0);
    expect(await host.must(["sh", "-c", "ip -n n -o link | sed 's/^[0-9]*: \\([^:@]*\\).*/\\1/' | sort | xargs"])).toBe(
      "eth0 eth1 lo w0",
    );
    expect(await host.must(["sh", "-c", "ip -n n -o -4 addr show eth1 | wc -l"])).toBe("2");
    await expect(
      box.run(box.config("", {}, { namespaces, netDevices: { v1: { name: "eth1" } } })),
    ).rejects.toMatchObject({
      code: "already-exists",
      message: 'Cannot move the network device "v1": file exists ("eth1")',
      fields: { remedy: "The container's network namespace has one of that name: give it another" },
    });
    expect((await host.run(["ip", "link", "show", "v1"])).code).toBe(0);
  });

  it("stay as they are when they cannot be moved, and those that are missing are named", async () => {
    await using host = await TestHost.create();
    await using box = new PlannedBox(commands, hostKeel(host));
    await expect(box.run(box.config("", {}, { netDevices: { none0: {} } }))).rejects.toMatchObject({
      message: 'Cannot move the network device "none0": no such device',
      fields: { remedy: "The host's network namespace must have such a device (see ip link)" },
    });
    await expect(box.run(box.config("", {}, { netDevices: { lo: { name: "lo7" } } }))).rejects.toMatchObject({
      fields: { remedy: "The kernel moves no loopback and no device that is bound to its namespace" },
    });
    expect(await host.must(["sh", "-c", "ip -o -4 addr show lo | wc -l"])).toBe("1");
  });

  it("come back with their addresses when the container's network refuses one", async () => {
    await using host = await TestHost.create();
    await host.must(["sh", "-c", addresses]);
    const disable = "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6";
    await host.must(["sh", "-c", `mkdir -p /run/netns && ip netns add n && ip netns exec n sh -c '${disable}'`]);
    const state =
      "ip -o link show v0 | cut -d'<' -f2 | cut -d'>' -f1; ip -o addr show v0 scope global | cut -d' ' -f6,7";
    const before = await host.must(["sh", "-c", state]);
    const path = `/proc/${host.initPid}/root/run/netns/n`;
    await using box = new PlannedBox(commands, hostKeel(host));
    const namespaces = [{ type: "mount" }, { type: "pid" }, { type: "network", path }];
    await expect(
      box.run(box.config("", {}, { namespaces, netDevices: { v0: { name: "eth0" } } }, { mounts: [] })),
    ).rejects.toMatchObject({ fields: { syscall: "netlink RTM_NEWADDR", path: "eth0" } });
    expect(before.split("\n")).toHaveLength(4);
    expect(await host.must(["sh", "-c", state])).toBe(before);
    expect(await host.must(["ip", "-n", "n", "-br", "link"])).not.toContain("eth0");
  });

  it("are moved into a user namespace's network too", async () => {
    await using host = await TestHost.create();
    await host.must(["sh", "-c", addresses]);
    await using box = new PlannedBox(commands, hostKeel(host));
    const linux = {
      namespaces: ["mount", "pid", "network", "ipc", "uts", "user"].map((type) => ({ type })),
      uidMappings: [{ containerID: 0, hostID: 100_000, size: 65_536 }],
      gidMappings: [{ containerID: 0, hostID: 100_000, size: 65_536 }],
      netDevices: { v0: { name: "eth0" } },
    };
    expect((await box.run(box.config("ip -o -4 addr show eth0 | wc -l; ls /sys/class/net", {}, linux))).lines).toEqual([
      "2",
      "eth0",
      "lo",
    ]);
  });
});
