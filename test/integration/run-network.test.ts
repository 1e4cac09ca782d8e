/** Containers on networks, by the command line: who reaches whom, what their files say, and what is left. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { addNeighbour } from "../support/network-host.ts";
import { eventually, StockedHost } from "../support/stocked-host.ts";

let stocked: StockedHost;
beforeAll(async () => {
  stocked = await StockedHost.create(["busybox"]);
  await addNeighbour(stocked.host);
});
afterEach(async () => {
  const left = await stocked.containers();
  if (left.length > 0) await stocked.must(["rm", "-f", ...left]);
  await stocked.must(["network", "prune", "-f"]);
});
afterAll(async () => await stocked[Symbol.asyncDispose]());

const sampan = async (...args: readonly string[]): Promise<string> => await stocked.must(args);
const fails = async (...args: readonly string[]): Promise<string> => {
  const { code, stderr } = await stocked.host.sampan(args);
  return code === 0 ? "did not fail" : stderr;
};
const inside = async (name: string, script: string): Promise<string> => await sampan("exec", name, "sh", "-c", script);

/** A container that serves its own name on port 80, until it is removed. */
async function serve(name: string, ...flags: readonly string[]): Promise<void> {
  const script = `mkdir -p /www && echo "page of ${name}" > /www/index.html && exec httpd -f -p 80 -h /www`;
  await sampan("run", "-d", "--name", name, ...flags, stocked.image("busybox"), "sh", "-c", script);
  await eventually(`${name} listens`, async () => (await inside(name, "netstat -tln")).includes(":80 "));
}

/** Made of a container that sleeps. */
const sleeper = async (name: string, ...flags: readonly string[]): Promise<string> =>
  await sampan("run", "-d", "--name", name, ...flags, stocked.image("busybox"), "sleep", "1000");

/** What a client gets from a server, `""` when nobody answers. */
const fetch = async (from: string, url: string): Promise<string> => {
  const words = ["curl", "-sg", "--max-time", "2", url];
  const prefix = from === "" ? [] : ["ip", "netns", "exec", from];
  return (await stocked.host.run([...prefix, ...words])).stdout.trim();
};
const fetchInside = async (name: string, url: string): Promise<string> =>
  (await stocked.host.sampan(["exec", name, "timeout", "2", "wget", "-qO-", url])).stdout.trim();

const interfaces = async (): Promise<string> => await stocked.host.must(["ls", "/sys/class/net"]);
const rules = async (): Promise<string> => await stocked.host.must(["nft", "list", "ruleset"]);
const remove = async (...names: readonly string[]): Promise<string> => await sampan("rm", "-f", ...names);

interface Settings {
  readonly IPAddress: string;
  readonly Ports: Readonly<Record<string, unknown>>;
  readonly Networks: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}
const settings = async (name: string): Promise<Settings> =>
  (await stocked.inspect<{ NetworkSettings: Settings }>(name)).NetworkSettings;

describe("run", () => {
  it("puts a container on the default network: it reaches the world and others, and is hidden from outside", async () => {
    await serve("web");
    const { IPAddress: address } = await settings("web");
    const script =
      "ip -o -4 addr show eth0 | tr -s ' ' | cut -d' ' -f4; ip route | head -1; ping -c1 -W2 192.0.2.2 > /dev/null && echo out";
    const [own = "", route, out] = (await stocked.mustShell([], script)).split("\n");
    expect([own, route, out]).toEqual([
      expect.stringMatching(/^10\.88\.0\.\d+\/16$/),
      "default via 10.88.0.1 dev eth0 ",
      "out",
    ]);
    expect(await stocked.mustShell([], `wget -qO- http://${address}/`)).toBe("page of web");
    await stocked.host.must(["ip", "-n", "lan", "route", "replace", "10.88.0.0/16", "via", "192.0.2.1"]);
    expect(await fetch("lan", `http://${address}/`)).toBe("");
    await remove("web");
  });

  it("publishes ports on all addresses, on one, on a range, on random ones, and on those of EXPOSE", async () => {
    await serve("web", "-p", "8080:80", "-p", "127.0.0.1:8081:80", "-p", "9000-9001:80-81", "-p", "80");
    await serve("exposed", "-P", "--expose", "80", "--expose", "81/udp");
    expect(await fetch("lan", "http://192.0.2.1:8080/")).toBe("page of web");
    expect(await fetch("", "http://127.0.0.1:8080/")).toBe("page of web");
    expect(await fetch("", "http://127.0.0.1:8081/")).toBe("page of web");
    // A port on the loopback is not to be reached from outside, by a route to it either.
    expect(await fetch("lan", "http://192.0.2.1:8081/")).toBe("");
    await stocked.host.must([
      "ip",
      "-n",
      "lan",
      "route",
      "replace",
      "127.0.0.1/32",
      "via",
      "192.0.2.1",
      "table",
      "local",
    ]);
    expect(await fetch("lan", "http://127.0.0.1:8081/")).toBe("");
    const ports = (await sampan("port", "web")).split("\n");
    expect(ports.slice(0, 4)).toEqual([
      "80/tcp -> 0.0.0.0:8080",
      "80/tcp -> 127.0.0.1:8081",
      "80/tcp -> 0.0.0.0:9000",
      "81/tcp -> 0.0.0.0:9001",
    ]);
    const [, random = ""] = /^80\/tcp -> 0\.0\.0\.0:(\d+)$/.exec(ports[4] ?? "") ?? [];
    expect(await fetch("lan", `http://192.0.2.1:${random}/`)).toBe("page of web");
    expect(await sampan("port", "exposed")).toMatch(/^80\/tcp -> 0\.0\.0\.0:\d+\n81\/udp -> 0\.0\.0\.0:\d+$/);
    expect(await sampan("ps")).toContain("0.0.0.0:9000-9001->80-81/tcp");
    expect((await settings("web")).Ports["81/tcp"]).toEqual([{ HostIp: "0.0.0.0", HostPort: "9001" }]);

    const taken = stocked.image("busybox");
    expect(await fails("run", "--rm", "-p", "8080:80", taken, "true")).toMatch(/publish port "8080\/tcp": container/);
    expect(await stocked.containers()).toHaveLength(2);
    await remove("web", "exposed");
    expect(await rules()).not.toMatch(/8080|9000/);
  });

  it("gives an address, a MAC and names, and keeps address and port for the next start", async () => {
    await sampan("network", "create", "--subnet", "10.77.0.0/24", "--ip-range", "10.77.0.128/25", "--ipv6", "fixed");
    const details = "name=fixed,ip=10.77.0.9,mac-address=02:00:00:00:00:09,alias=nine,interface=net0";
    await sleeper("one", "--network", details, "--hostname", "host.example.org");
    await sleeper("two", "--network", "fixed", "--network-alias", "zwei", "-p", "80");
    const seen = await inside("one", "cat /sys/class/net/net0/address; tail -n +7 /etc/hosts; ping -c1 zwei | head -1");
    const two = (await settings("two")).Networks["fixed"];
    const six = (await settings("one")).Networks["fixed"]?.["GlobalIPv6Address"];
    const shortId = (await sampan("inspect", "two")).slice(17, 29);
    expect(two).toMatchObject({ IPAddress: "10.77.0.128", Gateway: "10.77.0.1" });
    expect(seen.split("\n")).toEqual([
      "02:00:00:00:00:09",
      expect.stringMatching(/^10\.77\.0\.9\thost\.example\.org host one nine [0-9a-f]{12}$/),
      expect.stringMatching(`^${String(six)}\\thost.example.org host one nine`),
      expect.stringMatching(/^PING zwei \((10\.77\.0\.128|fd.*)\)/),
    ]);
    expect(shortId).not.toBe("");
    const port = await sampan("port", "two");
    await sampan("stop", "-t", "0", "two");
    await sleeper("three", "--network", "fixed");
    expect((await settings("three")).IPAddress).toBe("10.77.0.129");
    await sampan("start", "two");
    expect([(await settings("two")).IPAddress, await sampan("port", "two")]).toEqual(["10.77.0.128", port]);
    expect(await fails("network", "rm", "fixed")).toMatch(/container [0-9a-f]{12} is on it/);
    await remove("one", "two", "three");
    await sampan("network", "rm", "fixed");
  });

  it("writes --add-host, --dns and its like into the files", async () => {
    const flags = ["--add-host", "db:10.1.2.3", "--add-host", "gate:host-gateway", "--add-host", "six=[2001:db8::7]"];
    const dns = ["--dns", "192.0.2.53", "--dns-search", "example.org", "--dns-option", "ndots:3"];
    const script = "tail -3 /etc/hosts; cat /etc/resolv.conf";
    const lines = ["10.1.2.3\tdb", "10.88.0.1\tgate", "2001:db8::7\tsix"];
    const resolv = ["nameserver 192.0.2.53", "search example.org", "options ndots:3"];
    expect((await stocked.mustShell([...flags, ...dns], script)).split("\n")).toEqual([...lines, ...resolv]);
    const none = await stocked.mustShell(["--network", "none", ...flags.slice(0, 2), ...dns], script);
    expect(none.split("\n").slice(1)).toEqual([
      expect.stringMatching(/^127\.0\.1\.1\t/),
      lines[0],
      "nameserver 192.0.2.53",
      ...resolv.slice(1),
    ]);
  });

  it("leaves nothing of a container whose command or network fails", async () => {
    await sampan("network", "create", "-d", "macvlan", "-o", "parent=nosuch0", "broken");
    const before = [await interfaces(), await rules()];
    const image = stocked.image("busybox");
    expect(await fails("run", "-d", "--name", "failing", "-p", "8080:80", image, "nosuch")).toContain("nosuch");
    expect(await fails("run", "--name", "failing", "-p", "8080:80", image, "nosuch")).toContain("nosuch");
    expect(
      await fails(
        "run",
        "-d",
        "--name",
        "failing",
        "--network",
        "bridge",
        "--network",
        "broken",
        "-p",
        "8080:80",
        image,
        "true",
      ),
    ).toContain('Cannot use network "broken": the host has no interface "nosuch0"');
    await eventually("all is as before", async () => (await interfaces()) === before[0]);
    expect([await stocked.containers(), await rules()]).toEqual([[], before[1]]);
    await sampan("network", "rm", "broken");
  });
});

describe("network", () => {
  it("connect and disconnect change a running container, its files and those of others", async () => {
    await sampan("network", "create", "front");
    await sampan("network", "create", "back");
    await serve("web", "--network", "front", "-p", "8080:80");
    await sleeper("db", "--network", "back");
    expect(await fetchInside("db", `http://${(await settings("web")).IPAddress}/`)).toBe("");
    await sampan("network", "connect", "--alias", "api", "back", "web");
    expect(await fetchInside("db", "http://api/")).toBe("page of web");
    expect(await fails("network", "connect", "back", "web")).toContain("it is on it");
    // The way out and the ports go with what is left.
    await sampan("network", "disconnect", "front", "web");
    expect(await inside("web", "ip route | head -1; ls /sys/class/net")).toBe(
      "default via 10.89.1.1 dev eth1 \neth1\nlo",
    );
    expect(await fetch("lan", "http://192.0.2.1:8080/")).toBe("page of web");
    expect(await inside("web", "tail -n +7 /etc/hosts")).toMatch(/^10\.89\.1\.3\t\w+ web api$/);
    await sampan("stop", "-t", "0", "web");
    await sampan("start", "web");
    expect(Object.keys((await settings("web")).Networks)).toEqual(["back"]);
    await sampan("network", "disconnect", "back", "db");
    expect(await inside("db", "ls /sys/class/net")).toBe("lo");
    expect(await fails("network", "disconnect", "back", "db")).toContain("it is not on it");
    await remove("web", "db");
    expect(await sampan("network", "prune", "-f")).toBe("back\nfront");
  });

  it("isolates networks in both directions, but for those that are open, and containers without icc", async () => {
    await sampan("network", "create", "--internal", "inner");
    await sampan("network", "create", "-o", "isolate=false", "open1");
    await sampan("network", "create", "-o", "isolate=false", "-o", "icc=false", "open2");
    await serve("plain");
    await serve("hidden", "--network", "inner");
    await serve("first", "--network", "open1");
    await serve("second", "--network", "open2");
    await sleeper("third", "--network", "open2");
    const address = Object.fromEntries(
      await Promise.all(
        ["plain", "hidden", "first", "second"].map(async (name) => [name, (await settings(name)).IPAddress] as const),
      ),
    );
    const reaches = async (from: string): Promise<string> => {
      const script = `for a in ${Object.values(address).join(" ")}; do timeout 1 wget -qO- http://$a/; done; true`;
      return (await inside(from, script)).replaceAll("page of ", "").replaceAll("\n", " ");
    };
    expect(await Promise.all(["plain", "hidden", "first", "third"].map(reaches))).toEqual([
      "plain",
      "hidden",
      "first second",
      "first",
    ]);
    // Nor has the kernel given it an address to get out by.
    expect(await inside("hidden", "ip route | grep default; grep eth0 /proc/net/if_inet6; true")).toBe("");
    await remove("plain", "hidden", "first", "second", "third");
    await sampan("network", "prune", "-f");
  });

  it("reload restores a flushed packet filter and a removed bridge", async () => {
    await serve("web", "-p", "8080:80");
    await stocked.host.must(["nft", "flush", "ruleset"]);
    expect(await fetch("lan", "http://192.0.2.1:8080/")).toBe("");
    await sampan("network", "reload");
    expect(await fetch("lan", "http://192.0.2.1:8080/")).toBe("page of web");
    await remove("web");
  });

  it("prints what is as Docker does", async () => {
    const id = await sampan("network", "create", "--label", "a=b", "-o", "mtu=1400", "shown");
    await sleeper("shown1", "--network", "shown");
    const [details] = JSON.parse(await sampan("network", "inspect", id.slice(0, 10))) as [Record<string, unknown>];
    expect(details).toMatchObject({
      Name: "shown",
      Id: id,
      Driver: "bridge",
      Internal: false,
      EnableIPv6: false,
      Labels: { a: "b" },
      Options: { mtu: "1400" },
      IPAM: { Config: [{ Subnet: "10.89.0.0/24", Gateway: "10.89.0.1" }] },
    });
    expect(Object.values(details["Containers"] as object)).toMatchObject([
      { Name: "shown1", IPv4Address: "10.89.0.2/24" },
    ]);
    expect(await inside("shown1", "cat /sys/class/net/eth0/mtu")).toBe("1400");
    expect(await sampan("network", "ls", "--filter", "label=a", "-q")).toBe(id.slice(0, 12));
    expect(await sampan("network", "ls")).toMatch(
      /^NETWORK ID +NAME +DRIVER +SUBNETS\n\w{12} +bridge +bridge +10.88.0.0\/16\n/,
    );
    await remove("shown1");
    await sampan("network", "rm", "shown");
  });
});

describe("a port on ::1", () => {
  it("is passed on to a container with or without IPv6, TCP and UDP, and ends with it or when it is taken back", async () => {
    await sampan("network", "create", "--ipv6", "six");
    await serve("four", "-p", "[::1]:8080:80");
    await serve("six1", "--network", "six", "-p", "8090:80", "-p", "[::1]:5353:53/udp");
    expect(await fetch("", "http://[::1]:8080/")).toBe("page of four");
    expect(await fetch("", "http://[::1]:8090/")).toBe("page of six1");
    expect(await fetch("lan", "http://[2001:db8::1]:8080/")).toBe("");
    expect(await fetch("lan", "http://[2001:db8::1]:8090/")).toBe("page of six1");
    // A large answer, and many connections at once.
    await inside("four", "head -c 5000000 /dev/urandom > /www/large; md5sum < /www/large > /www/sum");
    const large = await stocked.host.must(["sh", "-c", "curl -sg 'http://[::1]:8080/large' | md5sum"]);
    expect(await fetch("", "http://[::1]:8080/sum")).toBe(large);
    const many = "seq 100 | xargs -P 50 -I{} curl -sg 'http://[::1]:8080/' | sort | uniq -c";
    expect((await stocked.host.must(["sh", "-c", many])).trim()).toBe("100 page of four");
    const pid = String((await stocked.inspect("six1")).State.Pid);
    stocked.host.spawn(["nsenter", "-t", pid, "-n", "socat", "UDP6-LISTEN:53,fork", "SYSTEM:read x; echo heard $x"]);
    const ask = "echo x | socat -t1 -T1 - UDP6:[::1]:5353";
    await eventually("UDP answers", async () => (await stocked.host.run(["sh", "-c", ask])).stdout === "heard x\n");
    const forwarders = async () => (await stocked.host.run(["pgrep", "-c", "keel-forward"])).stdout.trim();
    expect(await forwarders()).toBe("3");
    expect(await fails("run", "--rm", "-p", "[::1]:8080:80", stocked.image("busybox"), "true")).toContain("has it");
    await sampan("port", "rm", "four", "[::1]:8080");
    await eventually(
      "nobody listens",
      async () => (await fetch("", "http://[::1]:8080/")) === "" && (await forwarders()) === "2",
    );
    await remove("four", "six1");
    await eventually("all have ended", async () => (await forwarders()) === "0");
  });
});

describe("port", () => {
  it("add and rm change a running container's ports, and those of its next starts", async () => {
    await serve("web", "-p", "8080:80");
    expect(await sampan("port", "add", "web", "8090:80", "127.0.0.1:8091:80")).toBe(
      "80/tcp -> 0.0.0.0:8090\n80/tcp -> 127.0.0.1:8091",
    );
    expect(await fetch("lan", "http://192.0.2.1:8090/")).toBe("page of web");
    await sampan("port", "rm", "web", "8080");
    expect(await fetch("lan", "http://192.0.2.1:8080/")).toBe("");
    expect(await fails("port", "rm", "web", "8080")).toContain("it is not published");
    expect(await fails("port", "add", "web", "8090:80")).toContain("has it");
    await sampan("stop", "-t", "0", "web");
    await sampan("start", "web");
    expect(await sampan("port", "web")).toBe("80/tcp -> 0.0.0.0:8090\n80/tcp -> 127.0.0.1:8091");
    expect(await fetch("lan", "http://192.0.2.1:8090/")).toBe("page of web");
    await remove("web");
    expect(await rules()).not.toMatch(/809/);
  });
});
