/** Names, and what containers may reach, by the command line. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { StockedHost } from "../support/stocked-host.ts";

let stocked: StockedHost;

const dnsmasq =
  "ip netns exec lan dnsmasq --keep-in-foreground --no-resolv --no-hosts --bind-interfaces --user=root --pid-file= --local-ttl=60";

beforeAll(async () => {
  stocked = await StockedHost.create(["busybox"]);
  const { host } = stocked;
  await host.must([
    "sh",
    "-ec",
    `ip netns add lan
    ip link add name out0 type veth peer name eth0 netns lan
    ip address add 192.0.2.1/24 dev out0
    ip link set out0 up
    for n in 2 3 4; do ip -n lan address add 192.0.2.$n/24 dev eth0; done
    ip -n lan link set lo up
    ip -n lan link set eth0 up
    ip route add default via 192.0.2.2
    echo nameserver 192.0.2.2 > /run/resolv.conf
    mount --bind /run/resolv.conf /etc/resolv.conf`,
  ]);
  host.spawn([
    ...dnsmasq.split(" "),
    ..."--listen-address=192.0.2.2 --host-record=web.example.com,192.0.2.3 --host-record=other.example.com,192.0.2.4".split(
      " ",
    ),
  ]);
  host.spawn([...dnsmasq.split(" "), "--listen-address=192.0.2.4", "--host-record=web.example.com,192.0.2.4"]);
  await host.must(["sh", "-c", `mkdir -p ${host.files}/www; echo page > ${host.files}/www/index.html`]);
  host.spawn([..."ip netns exec lan busybox httpd -f -p 80 -h".split(" "), `${host.files}/www`]);
  await stocked.must(["network", "create", "--subnet", "10.61.0.0/24", "front"]);
  const serve = "mkdir -p /www && echo page of db > /www/index.html && exec httpd -f -p 80 -h /www";
  await stocked.must([
    ...["run", "-d", "--name", "db", "--network", "front", "--network-alias", "store"],
    ...[stocked.image("busybox"), "sh", "-c", serve],
  ]);
}, 240_000);
afterAll(async () => stocked[Symbol.asyncDispose]());

describe("run --network", { timeout: 120_000 }, () => {
  it("knows the network's containers and the world by name", async () => {
    const seen = await stocked.mustShell(
      ["--network", "front"],
      `grep nameserver /etc/resolv.conf; for i in $(seq 20); do wget -qO- http://db/ && break; sleep 0.1; done
      wget -qO- http://STORE/; wget -qO- http://web.example.com/; nslookup nobody | grep -o NXDOMAIN | sort -u; nslookup 10.61.0.2 | grep name`,
    );
    expect(seen).toBe(
      [
        ...["nameserver 10.61.0.1", "page of db", "page of db", "page", "NXDOMAIN"],
        "2.0.61.10.in-addr.arpa\tname = db.front.sampan.internal",
      ].join("\n"),
    );
    const own = ["--network", "front", "--dns", "192.0.2.4"];
    expect(await stocked.mustShell(own, "nslookup web.example.com | grep 'Address: '")).toBe("Address: 192.0.2.4");
  });

  it("leaves the default network with the host's name servers, where a container can ask them", async () => {
    expect(await stocked.mustShell([], "cat /etc/resolv.conf")).toBe("nameserver 192.0.2.2");
    expect(await stocked.mustShell(["--egress", "none"], "cat /etc/resolv.conf")).toBe("nameserver 10.88.0.1");
    await stocked.host.must(["sh", "-c", "echo nameserver 127.0.0.53 > /run/resolv.conf"]);
    expect(await stocked.mustShell([], "cat /etc/resolv.conf; nslookup localhost | grep -c 127.0.0.1")).toBe(
      "nameserver 10.88.0.1\n1",
    );
    await stocked.host.must(["sh", "-c", "echo nameserver 192.0.2.2 > /run/resolv.conf"]);
  });
});

describe("run --egress", { timeout: 120_000 }, () => {
  it("restricts what a container reaches, and logs tells what it was refused", async () => {
    const flags = ["--name", "shy", "--network", "front", "--egress", "allow=web.example.com:80,10.61.0.2:80/tcp"];
    const script = `wget -qO- http://web.example.com/; wget -qO- http://db/
      wget -qO- http://192.0.2.4/ || echo refused; wget -qO- http://other.example.com/ || echo unknown; sleep 1`;
    await stocked.must(["run", "-d", ...flags, stocked.image("busybox"), "sh", "-c", script]);
    await stocked.must(["wait", "shy"]);
    expect((await stocked.must(["logs", "shy"])).split("\n").filter((line) => !line.startsWith("wget:"))).toEqual([
      ...["page", "page of db", "refused", "unknown"],
    ]);
    const log = await stocked.must(["logs", "--egress", "shy"]);
    expect(log.split("\n").map((line) => line.split(/ {2,}/).slice(1))).toEqual(
      expect.arrayContaining([
        ["REFUSED", "COUNT", "WHY"],
        ["192.0.2.4:80/tcp", expect.stringMatching(/^[1-9]$/) as unknown, "not allowed"],
        ["other.example.com", expect.stringMatching(/^[12]$/) as unknown, "name not allowed"],
      ]),
    );
    expect(await stocked.inspect<object>("shy")).toMatchObject({
      NetworkSettings: { Egress: ["allow=web.example.com:80,10.61.0.2:80/tcp"] },
    });
    await stocked.must(["rm", "shy"]);
    expect(await stocked.host.must(["nft", "list", "tables"])).toBe("table inet sampan");
  });

  it("refuses lists that are none, and networks that it can't restrict", async () => {
    const cases: readonly (readonly [string[], string])[] = [
      [["--egress", "allow=a:80-90"], 'Cannot parse --egress "a:80-90": a name has no range of ports'],
      [["--egress", "some"], 'Cannot parse --egress "some": it is none of none, all, and allow=…'],
      [["--network", "none", "--egress", "allow=a"], 'Cannot restrict what a container with network "none" may reach'],
      [["--network", "host", "--egress", "none"], 'Cannot restrict what a container with network "host" may reach'],
    ];
    for (const [flags, message] of cases) {
      const { code, stderr } = await stocked.shell(flags, "true");
      expect([code, stderr]).toEqual([125, expect.stringContaining(message)]);
    }
  });
});

describe("the process that answers names", { timeout: 60_000 }, () => {
  it("is small, and one for all networks", async () => {
    const pids = (await stocked.host.must(["pgrep", "-f", "sampan-dns.cjs"])).split("\n");
    expect(pids).toHaveLength(1);
    const memory = await stocked.host.must(["grep", "-E", "^(Pss|Private_Dirty):", `/proc/${pids[0]}/smaps_rollup`]);
    const [pss = 0] = memory.match(/\d+/g)?.map(Number) ?? [];
    // KiB; about 30 MiB on x86-64.
    expect(pss).toBeLessThan(60_000);
  });
});
