/** Containers and pods on CNI networks: Debian's plugins for real, and plugins that misbehave; crashes, and what is left. */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { checkout, pinnedNode } from "../support/checkout.ts";
import { CniHost, nothingLeft } from "../support/cni-host.ts";
import { eventually } from "../support/stocked-host.ts";

let cni: CniHost;
beforeAll(async () => {
  cni = await CniHost.create();
});
afterEach(async () => {
  const left = (await cni.must("ps", "-aq")).split("\n").filter((id) => id !== "");
  if (left.length > 0) await cni.must("rm", "-f", ...left);
});
afterAll(async () => await cni[Symbol.asyncDispose]());

const onHost = async (script: string): Promise<string> =>
  (await cni.stocked.host.run(["sh", "-c", script], { timeout: 60_000 })).stdout.trim();
const inside = async (name: string, script: string): Promise<string> =>
  await cni.must("exec", name, "sh", "-c", script);

interface Settings {
  readonly IPAddress: string;
  readonly MacAddress: string;
  readonly Gateway: string;
  readonly Ports: unknown;
  readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>>;
}
const settings = async (name: string): Promise<Settings> =>
  (JSON.parse(await cni.must("inspect", name)) as [{ NetworkSettings: Settings }])[0].NetworkSettings;

const ipam = (subnet: string): object => ({
  type: "host-local",
  ranges: [[{ subnet }]],
  routes: [{ dst: "0.0.0.0/0" }],
  dataDir: "/run/cni-ipam",
});
const lan = {
  cniVersion: "1.0.0",
  name: "lan",
  plugins: [
    { type: "bridge", bridge: "cnibr0", isGateway: true, ipMasq: true, hairpinMode: true, ipam: ipam("10.44.0.0/24") },
    { type: "portmap", capabilities: { portMappings: true } },
    { type: "firewall" },
    { type: "bandwidth", capabilities: { bandwidth: true } },
    { type: "tuning", capabilities: { mac: true }, sysctl: { "net.ipv4.conf.IFNAME.log_martians": "1" } },
  ],
};
const reserved = async (network = "lan"): Promise<string> => await onHost(`ls /run/cni-ipam/${network} | grep '^1'`);

/** A container that serves its own name on port 80. */
async function serve(name: string, ...flags: readonly string[]): Promise<void> {
  const script = `mkdir -p /www && echo "page of ${name}" > /www/index.html && exec httpd -f -p 80 -h /www`;
  await cni.must("run", "-d", "--name", name, ...flags, cni.stocked.image("busybox"), "sh", "-c", script);
  await eventually(`${name} listens`, async () => (await inside(name, "netstat -tln")).includes(":80 "));
}

describe("Debian's plugins", () => {
  it("connect containers by bridge, portmap, firewall, bandwidth and tuning, and let go of all of it", async () => {
    await cni.configure({ "10-lan.conflist": lan });
    await serve("web", "--network", "name=cni:lan,mac=02:00:00:00:00:07", "-p", "8080:80");
    const web = await settings("web");
    expect(web).toMatchObject({
      IPAddress: expect.stringMatching(/^10\.44\.0\.\d+$/),
      MacAddress: "02:00:00:00:00:07",
      Gateway: "10.44.0.1",
      Ports: { "80/tcp": [{ HostIp: "0.0.0.0", HostPort: "8080" }] },
    });
    expect(await inside("web", "cat /sys/class/net/eth0/address /proc/sys/net/ipv4/conf/eth0/log_martians")).toBe(
      "02:00:00:00:00:07\n1",
    );
    expect(await inside("web", "cat /sys/class/net/lo/operstate; ping -c1 -W1 127.0.0.1 > /dev/null && echo up")).toBe(
      "unknown\nup",
    );
    expect(await inside("web", "grep $(hostname) /etc/hosts")).toMatch(new RegExp(`^${web.IPAddress}\t`));
    // From the host, from another container by address, and by the host's port.
    expect(await onHost(`curl -s -m 2 http://${web.IPAddress}/`)).toBe("page of web");
    const client = ["run", "--rm", "--network", "cni", cni.stocked.image("busybox"), "timeout", "5", "wget", "-qO-"];
    expect(await cni.must(...client, `http://${web.IPAddress}/`)).toBe("page of web");
    expect(await cni.must(...client, "http://10.44.0.1:8080/")).toBe("page of web");
    expect(await reserved()).toBe(web.IPAddress);
    expect(await cni.must("ps", "--format", "{{.Names}} {{.Ports}} {{.Networks}}")).toBe(
      "web 0.0.0.0:8080->80/tcp cni:lan",
    );
    // What somebody else has taken away is told by CHECK.
    await onHost(
      `ip route show dev cnibr0; nsenter -n -t $(cat ${cni.stocked.host.state}/containers/*/pid | cut -d' ' -f1) ip address flush dev eth0`,
    );
    expect(await cni.fails(["network", "check", "web"])).toMatch(
      /Cannot check container "[0-9a-f]+" on CNI network "lan": plugin "bridge": /,
    );
    // At the container's end, with nobody there: its monitor does it.
    await cni.must("stop", "-t", "0", "web");
    expect(await reserved()).toBe("");
    expect(await onHost("iptables -t nat -S | grep -c 8080")).toBe("0");
    expect(await onHost(`ls ${cni.stocked.host.state}/netns`)).toBe("");
    // It comes back, with another address or the same one, and its port.
    await cni.must("start", "web");
    expect((await settings("web")).Ports).toEqual(web.Ports);
    expect(await reserved()).toMatch(/^10\.44\.0\.\d+$/);
    await cni.must("rm", "-f", "web");
    expect([await reserved(), await cni.leftovers()]).toEqual(["", nothingLeft]);
  });

  it("connect by ptp, macvlan and loopback, several networks at once, and a pod by any", async () => {
    await onHost("ip link add parent0 type veth peer name parent1; ip link set parent0 up; ip link set parent1 up");
    const one = (name: string, more: object, subnet: string): object => ({
      cniVersion: "0.4.0",
      name,
      ...more,
      ipam: ipam(subnet),
    });
    await cni.configure({
      "20-ptp.conf": one("ptp", { type: "ptp", ipMasq: true, dns: { nameservers: ["192.0.2.99"] } }, "10.45.0.0/24"),
      "30-mac.json": one("mac", { type: "macvlan", master: "parent0" }, "10.46.0.0/24"),
      "40-lo.conflist": { cniVersion: "0.3.1", name: "lo", plugins: [{ type: "loopback" }] },
    });
    await cni.sleeper("several", "--network", "cni:ptp", "--network", "cni:mac");
    const { Networks } = await settings("several");
    expect(Object.keys(Networks)).toEqual(["cni:ptp", "cni:mac"]);
    const addresses = await inside("several", "ip -o -4 address | tr -s ' ' | cut -d' ' -f2,4");
    expect(addresses).toMatch(/^lo 127.0.0.1\/8\neth0 10\.45\.0\.\d+\/24\neth1 10\.46\.0\.\d+\/24$/);
    expect(await inside("several", "cat /etc/resolv.conf")).toMatch(/^nameserver 192\.0\.2\.99$/m);
    expect(await onHost(`ping -c1 -W1 ${Networks["cni:ptp"]?.IPAddress ?? ""} > /dev/null && echo reached`)).toBe(
      "reached",
    );
    expect(await cni.must("network", "check", "several")).toBe("");
    await cni.must("pod", "create", "--network", "cni:ptp", "shop");
    await cni.must("pod", "start", "shop");
    const [pod] = JSON.parse(await cni.must("pod", "inspect", "shop")) as [{ readonly Addresses: readonly string[] }];
    expect(pod.Addresses).toEqual([expect.stringMatching(/^10\.45\.0\.\d+$/)]);
    const own = await cni.must(
      "run",
      "--rm",
      "--pod",
      "shop",
      cni.stocked.image("busybox"),
      "ip",
      "-o",
      "-4",
      "address",
    );
    expect(own).toContain(` ${pod.Addresses[0]}/24 `);
    await cni.must("pod", "stop", "shop");
    expect(await reserved("ptp")).toBe(Networks["cni:ptp"]?.IPAddress);
    await cni.must("pod", "rm", "shop");
    await cni.must("rm", "-f", "several");
    await cni.must("run", "--rm", "--network", "cni:lo", cni.stocked.image("busybox"), "ping", "-c1", "127.0.0.1");
    expect([await reserved("ptp"), await reserved("mac"), await cni.leftovers()]).toEqual(["", "", nothingLeft]);
  });

  it("give thirty containers at once thirty addresses, and take them back", { timeout: 120_000 }, async () => {
    await cni.configure({ "10-lan.conflist": { ...lan, plugins: lan.plugins.slice(0, 2) } });
    const source = `import { Engine } from "#engine";
      await using engine = await Engine.open();
      const all = await Promise.all(Array.from({ length: 30 }, (_, i) =>
        engine.run(${JSON.stringify(cni.stocked.image("busybox"))}, ["sleep", "1000"], { network: "cni", publish: ["80"], name: "n" + i })));
      const of = (c) => c.inspect().NetworkSettings;
      console.log(JSON.stringify(all.map((c) => [of(c).IPAddress, of(c).Ports["80/tcp"][0].HostPort])));
      await Promise.all(all.map((c) => c.remove({ force: true })));`;
    const { stdout, stderr } = await cni.stocked.host.node(source, { env: cni.environment, timeout: 110_000 });
    const found = JSON.parse(stdout || JSON.stringify(stderr)) as readonly (readonly [string, string])[];
    expect(new Set(found.map(([address]) => address)).size).toBe(30);
    expect(new Set(found.map(([, port]) => port)).size).toBe(30);
    expect([await reserved(), await cni.leftovers()]).toEqual(["", nothingLeft]);
  });
});

describe("configurations", () => {
  it("are read in their order, with plugins beside them, anew when they change, and told by network ls", async () => {
    const fine = { type: "fine" };
    await cni.configure({
      "20-b.conflist": { cniVersion: "1.1.0", name: "b", plugins: [fine] },
      "10-a.conflist": { cniVersion: "1.1.0", name: "a", plugins: [fine] },
      "a/50-more.conf": { type: "rich" },
      "30-a.conf": { cniVersion: "1.1.0", name: "a", type: "refuse" },
      README: "no configuration",
    });
    await cni.clearLog();
    expect(await cni.must("network", "ls", "--filter", "driver=cni", "--format", "{{.Name}} {{.Driver}}")).toBe(
      "cni:a cni\ncni:b cni",
    );
    await cni.sleeper("one", "--network", "cni", "--cni-arg", "K8S_POD_NAME=web-1", "--cni-arg", "IgnoreUnknown=1");
    const args = "eth0 K8S_POD_NAME=web-1;IgnoreUnknown=1";
    expect(await cni.calls()).toEqual([`ADD fine ${args}`, `ADD rich ${args}`]);
    expect(await inside("one", "cat /etc/resolv.conf")).toBe("nameserver 192.0.2.53\nsearch cni.example");
    // DEL is as ADD was, whatever the files say now; and has the result.
    await cni.configure({ "10-c.conflist": { cniVersion: "1.0.0", name: "c", plugins: [{ type: "refuse" }] } });
    await cni.must("rm", "-f", "one");
    expect((await cni.calls()).slice(2)).toEqual([`DEL rich ${args}`, `DEL fine ${args}`]);
    const { prevResult } = await cni.configOf("fine", "DEL");
    expect(prevResult).toMatchObject({ cniVersion: "1.1.0", routes: [{ dst: "0.0.0.0/0", mtu: 1400 }] });
    expect(await cni.leftovers()).toBe(nothingLeft);
    // Nothing of whoever called it.
    const variables = (await cni.note("env")).split("\n").map((line) => line.split("=")[0]);
    const given = [
      "CNI_ARGS",
      "CNI_COMMAND",
      "CNI_CONTAINERID",
      "CNI_IFNAME",
      "CNI_NETNS",
      "CNI_PATH",
      "PATH",
      "PWD",
      "",
    ];
    expect(new Set(variables)).toEqual(new Set(given));
  });

  it("say what is wrong with them, by file, place and rule; other networks go on", async () => {
    await cni.configure({
      "10-a.conflist": { cniVersion: "1.0.0", name: "a", plugins: [{ type: "fine" }, { type: "../fine" }] },
      "20-b.conflist": { cniVersion: "1.0.0", name: "b", plugins: [{ type: "missing" }] },
      "30-c.conflist": { cniVersion: "1.0.0", name: "c", plugins: [{ type: "fine" }] },
    });
    const run = ["run", "--rm", cni.stocked.image("busybox"), "true"];
    const on = (network: string, ...more: readonly string[]): string[] => [
      "run",
      "--network",
      network,
      ...more,
      ...run.slice(1),
    ];
    expect(await cni.fails(on("cni"))).toMatch(
      /Cannot read CNI configuration ".*\/10-a\.conflist": plugins\[1\]\.type is "\.\.\/fine", must be a program's name without "\/"/,
    );
    expect(await cni.fails(on("cni:a"))).toMatch(/Cannot find CNI network "a": .*10-a\.conflist": plugins\[1\]\.type/);
    expect(await cni.fails(on("cni:b"))).toMatch(
      /Cannot add container "[0-9a-f]{12}" to CNI network "b": plugin "missing" is not in .*\/plugins, \/usr\/lib\/cni/,
    );
    expect(await cni.fails(on("cni:c", "-p", "80:80"))).toContain(
      'Cannot publish ports on CNI network "c": no plugin of it has the capability "portMappings"',
    );
    expect(await cni.fails(on("name=cni:c,ip=10.1.2.3"))).toContain('no plugin of it has the capability "ips"');
    expect(await cni.fails(on("cni:c", "--egress", "none"))).toContain("Cannot restrict what a container with network");
    expect(await cni.fails(on("cni:c", "--network", "bridge"))).toContain("networks of CNI and others go not together");
    expect(await cni.fails(on("cni:c"))).toBe("did not fail");
    expect(await cni.leftovers()).toBe(nothingLeft);
  });

  it("choose a version that all plugins know, and have the results of others converted", async () => {
    const list = (more: object): object => ({ name: "v", plugins: [{ type: "fine" }, { type: "old" }], ...more });
    const image = cni.stocked.image("busybox");
    await cni.configure({ "10-v.conflist": list({ cniVersion: "0.3.1", cniVersions: ["0.4.0", "1.1.0"] }) });
    await cni.must("run", "--rm", "--network", "cni", image, "true");
    expect((await cni.configOf("old", "ADD"))["cniVersion"]).toBe("0.4.0");
    await cni.configure({ "10-v.conflist": list({ cniVersion: "1.1.0" }) });
    expect(await cni.fails(["run", "--rm", "--network", "cni", image, "true"])).toContain(
      'plugin "old" speaks CNI 0.3.1, 0.4.0, and not 1.1.0',
    );
  });
});

describe("plugins that misbehave", () => {
  it.each([
    ["crash", /plugin "crash" was killed by SIGSEGV without a word/],
    ["words", /plugin "words" exited with status 2: panic: no memory/],
    ["garbage", /Cannot read the answer of CNI plugin "garbage": it is not JSON: /],
    ["quiet", /plugin "quiet" has printed no result/],
    ["flood", /plugin "flood" printed more than 1000000 bytes/],
    ["liar", /Cannot read the answer of CNI plugin "liar": cniVersion is "8\.8\.8", must be one of/],
    ["wrong", /ips\[0\]\.address is "10\.99\.0\.777\/24", must be an address/],
    ["refuse", /plugin "refuse": no such bridge: br7 \(CNI error 7, invalid network configuration\)/],
  ])("%s: an error by its name, and all before it are told to take it back", async (name, message) => {
    await cni.chain("1.1.0", "fine", name, "rich");
    const told = await cni.fails(["run", "--rm", "--network", "cni", cni.stocked.image("busybox"), "true"]);
    expect(told).toMatch(message);
    const calls = (await cni.calls()).map((line) => line.split(" ").slice(0, 2).join(" "));
    expect(calls).toEqual(["ADD fine", `ADD ${name}`, "DEL rich", `DEL ${name}`, "DEL fine"]);
    expect((await cni.configOf("fine", "DEL"))["prevResult"]).toMatchObject({ ips: [{ address: "10.99.0.7/24" }] });
    expect(await cni.leftovers()).toBe(nothingLeft);
  });

  it("hang: it is killed with all it has started when its time is over", async () => {
    await cni.chain("1.1.0", "hang");
    const source = `import { Engine } from "#engine";
      await using engine = await Engine.open({ cni: { timeout: 0.3 } });
      try { await engine.run(${JSON.stringify(cni.stocked.image("busybox"))}, ["true"], { network: "cni" }); }
      catch (error) { console.log(error.code, error.message); }`;
    const { stdout } = await cni.stocked.host.node(source, { env: cni.environment });
    expect(stdout).toMatch(
      /^unavailable Cannot add container "\w+" to CNI network "test": plugin "hang" did not end within 300 ms\n$/,
    );
    expect(await onHost("pgrep -fc 'sleep 100[0]'")).toBe("0");
    expect(await cni.leftovers()).toBe(nothingLeft);
  });

  it("again: one that asks for it is called once more", async () => {
    await cni.chain("1.1.0", "again");
    await cni.must("run", "--rm", "--network", "cni", cni.stocked.image("busybox"), "true");
    expect((await cni.calls()).map((line) => line.split(" ")[0])).toEqual(["ADD", "ADD", "DEL"]);
  });

  it("stuck: a container that can't be taken back is not forgotten", async () => {
    await cni.chain("1.1.0", "fine", "stuck");
    await cni.sleeper("held", "--network", "cni");
    await cni.setNote("stuck", true);
    await cni.must("stop", "-t", "0", "held");
    expect(await cni.fails(["rm", "held"])).toContain('plugin "stuck": cannot let go (CNI error 999)');
    expect(await cni.leftovers()).toContain("cni_attachments 1 ");
    await cni.setNote("stuck", false);
    await cni.must("rm", "held");
    expect(await cni.leftovers()).toBe(nothingLeft);
  });
});

describe("status and garbage", () => {
  it("tells whether networks are ready, and why not", async () => {
    await cni.configure({});
    expect(await cni.fails(["network", "check"])).toBe("");
    const check = async (): Promise<string> =>
      (await cni.stocked.host.sampan(["network", "check"], { env: cni.environment })).stdout;
    expect(await check()).toMatch(/^Cannot find a CNI network: ".*net\.d" has no configuration\n$/);
    await cni.chain("1.1.0", "fine");
    expect(await check()).toMatch(/10-test\.conflist: cni:test\ncni:test is ready\n$/);
    await cni.setNote("unready", true);
    expect(await check()).toContain('plugin "fine": no address: the pool is empty (CNI error 50, not available)\n');
    await cni.chain("1.0.0", "missing");
    expect(await check()).toContain('plugin "missing" is not in ');
  });

  it("has plugins collect what is kept for nobody, and is told who is there (GC)", async () => {
    await cni.chain("1.1.0", "fine", "rich");
    await cni.sleeper("there", "--network", "cni");
    await cni.must("network", "prune", "-f");
    const id = (await cni.must("ps", "-q", "--no-trunc")).trim();
    expect((await cni.configOf("rich", "GC"))["cni.dev/valid-attachments"]).toEqual([
      { containerID: id, ifname: "eth0" },
    ]);
    expect((await cni.calls()).slice(2)).toEqual(["GC fine", "GC rich"]);
  });
});

describe("crashes", () => {
  const steps = join(checkout, "test/support/kill-steps-main.ts");
  const program = (args: readonly string[]): string[] => [
    pinnedNode,
    "--import",
    steps,
    join(checkout, "dist/sampan.cjs"),
    ...args,
  ];

  it("between any two steps leave nothing after the next start", { timeout: 240_000 }, async () => {
    await cni.configure({ "10-lan.conflist": { ...lan, plugins: lan.plugins.slice(0, 3) } });
    const args = [
      "run",
      "-d",
      "--name",
      "killed",
      "--network",
      "cni",
      "-p",
      "8090:80",
      cni.stocked.image("busybox"),
      "sleep",
      "1000",
    ];
    const counted = join(cni.stocked.host.files, "steps");
    const env = { ...cni.environment, KILL_COUNT: counted };
    expect(await cni.stocked.host.run(program(args), { env })).toMatchObject({ code: 0 });
    await cni.must("rm", "-f", "killed");
    const count = Number(await readFile(counted, "utf8"));
    expect(count).toBeGreaterThan(10);
    // The steps before the first plugin is called are those of every container.
    for (let step = Math.floor(count / 2); step <= count; step += 3) {
      await cni.stocked.host.run(program(args), { env: { ...cni.environment, KILL_AT: String(step) } });
      const left = (await cni.must("ps", "-aq")).split("\n").filter((id) => id !== "");
      if (left.length > 0) await cni.must("rm", "-f", ...left);
      const state = [await reserved(), await onHost("iptables -t nat -S | grep -c 8090"), await cni.leftovers()];
      expect(state, `step ${step} of ${count}`).toEqual(["", "0", nothingLeft]);
    }
    await rm(counted);
  });

  it("while a plugin works: it is waited for before it is told to take it back", async () => {
    await cni.chain("1.1.0", "slow");
    const client = cni.stocked.host.spawn(
      [
        pinnedNode,
        join(checkout, "dist/sampan.cjs"),
        "run",
        "-d",
        "--network",
        "cni",
        cni.stocked.image("busybox"),
        "true",
      ],
      { env: cni.environment },
    );
    await eventually("the plugin works", async () =>
      (await onHost(`ls ${cni.stocked.host.files}`)).includes("cni-log.started"),
    );
    client.kill();
    await client.exited.catch(() => undefined);
    await cni.must("ps", "-a");
    expect(await cni.note("slow")).toBe("added\ndeleted\n");
    await cni.must("rm", "-f", ...(await cni.must("ps", "-aq")).split("\n"));
    expect(await cni.leftovers()).toBe(nothingLeft);
  });
});
