/** Names on networks: the process that answers them, on the real kernel, with dig as client and dnsmasq as the world. */
import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NetworkHost } from "../support/network-host.ts";

let n: NetworkHost;

/** What dig prints of a question asked from a container, without comments. */
async function dig(from: string, ...args: string[]): Promise<string[]> {
  const { stdout } = await n.in(from, "dig", "+noall", "+answer", "+comments", "+tries=1", "+time=5", ...args);
  const status = /status: (\w+)/.exec(stdout)?.[1] ?? "no answer";
  const lines = stdout.split("\n").filter((line) => line !== "" && !line.startsWith(";"));
  return [status, ...lines.map((line) => line.replaceAll(/\s+/g, " "))];
}

const short = async (from: string, ...args: string[]): Promise<string> =>
  (await n.in(from, "dig", "+short", "+tries=1", "+time=5", ...args)).stdout.trim();

async function ask(from: string, ...args: string[]): Promise<string> {
  return (await n.in(from, "dig", "+tries=1", "+time=5", ...args)).stdout;
}

/** Pids inside the host of processes that answer names. */
const processes = async (): Promise<string[]> => {
  const { stdout } = await n.host.run(["pgrep", "-f", "sampan-dns.cjs"]);
  return stdout.split("\n").filter((pid) => pid !== "");
};

const servers = [
  // 192.0.2.2, which all containers ask by way of the host.
  `--listen-address=192.0.2.2,2001:db8::2 --host-record=www.example.com,198.51.100.7,2001:db8:1::7
   --cname=alias.example.com,www.example.com --txt-record=txt.example.com,hello --ptr-record=7.100.51.198.in-addr.arpa,www.example.com
   --srv-host=_http._tcp.example.com,www.example.com,8080,1,2 --mx-host=example.com,www.example.com,10 --dns-rr=odd.example.com,65280,c0ffee
   --local=/example.com/ --auth-ttl=60 ${Array.from({ length: 40 }, (_, i) => `--host-record=many.example.com,198.51.100.${i + 10}`).join(" ")}`,
  "--listen-address=192.0.2.3 --host-record=www.example.com,198.51.100.8 --host-record=private.example.net,198.51.100.9",
];

beforeAll(async () => {
  n = await NetworkHost.create();
  await n.host.must(["ip", "-n", "lan", "address", "add", "192.0.2.3/24", "dev", "eth0"]);
  for (const options of servers)
    n.host.spawn([
      ..."ip netns exec lan dnsmasq --keep-in-foreground --no-resolv --no-hosts --bind-interfaces --user=root --pid-file= --local-ttl=60".split(
        " ",
      ),
      ...options.split(/\s+/),
    ]);
  await n.host.must([
    "sh",
    "-c",
    "echo nameserver 192.0.2.2 > /run/resolv.conf; mount --bind /run/resolv.conf /etc/resolv.conf",
  ]);
  await n.container("web", "db", "other", "inner", "both", "own");
  for (const name of ["web", "db", "other", "inner", "both", "own"]) await n.setAlive(name, true);
  await n.run(`
    await networks.create({ name: "front", subnets: ["10.61.0.0/24", "fd00:61::/64"] });
    await networks.create({ name: "back", subnets: ["10.62.0.0/24"] });
    await networks.create({ name: "inside", subnets: ["10.63.0.0/24"], internal: true });
    await attach("web", { network: "front", names: ["web", "service", "Camel"] });
    await attach("db", { network: "front", names: ["db", "service"] });
    await attach("other", { network: "back", names: ["other"] });
    await attach("inner", { network: "inside", names: ["inner"] });
    await attach("both", { network: "front", names: ["both"] });
    await attach("both", { network: "back", names: ["both", "backed"] });
    await attach("own", { network: "front", names: ["own"] });
    for (const name of ["front", "back", "inside"]) await names.ensure(store.network(name));
  `);
}, 120_000);
afterAll(async () => n[Symbol.asyncDispose]());

describe("names of containers", { timeout: 60_000 }, () => {
  it("are known on their networks, with aliases, in any case, forwards and backwards", async () => {
    expect(await dig("web", "@10.61.0.1", "dB")).toEqual(["NOERROR", "dB. 5 IN A 10.61.0.3"]);
    expect(await dig("db", "@10.61.0.1", "camel")).toEqual(["NOERROR", "camel. 5 IN A 10.61.0.2"]);
    expect(await dig("web", "@10.61.0.1", "db", "AAAA")).toEqual(["NOERROR", "db. 5 IN AAAA fd00:61::3"]);
    expect(await dig("web", "@10.61.0.1", "db", "MX")).toEqual(["NOERROR"]);
    expect(await short("web", "@10.61.0.1", "-x", "10.61.0.3")).toBe("db.front.sampan.internal.");
    expect(await short("web", "@10.61.0.1", "-x", "fd00:61::3")).toBe("db.front.sampan.internal.");
    expect(await short("web", "@10.61.0.1", "db.front.sampan.internal")).toBe("10.61.0.3");
    expect(await short("web", "@10.61.0.1", "host.docker.internal")).toBe("10.61.0.1");
    expect(await short("web", "@10.61.0.1", "localhost", "AAAA")).toBe("::1");
  });

  it("are not known elsewhere", async () => {
    expect(await dig("other", "@10.62.0.1", "web")).toEqual(["NXDOMAIN"]);
    expect(await dig("web", "@10.61.0.1", "other")).toEqual(["NXDOMAIN"]);
    expect(await dig("web", "@10.61.0.1", "-x", "10.62.0.2")).toEqual(["NXDOMAIN"]);
    // One that is on two networks knows both, whichever it asks on.
    expect(await short("both", "@10.61.0.1", "other")).toBe("10.62.0.2");
    expect(await short("both", "@10.62.0.1", "db")).toBe("10.61.0.3");
    // Neither from outside, nor on an address that is nobody's.
    await n.host.must(["ip", "-n", "lan", "route", "add", "10.61.0.0/24", "via", "192.0.2.1"]);
    expect(await dig("lan", "@10.61.0.1", "web", "+time=1")).toEqual(["no answer"]);
    await n.host.must(["ip", "-n", "web", "address", "add", "10.61.0.77/24", "dev", "eth0"]);
    expect(await dig("web", "-b", "10.61.0.77", "@10.61.0.1", "db", "+time=1")).toEqual(["no answer"]);
  });

  it("stand for several containers in turn, and only for those that run", async () => {
    const firsts = new Set<string>();
    for (let n = 0; n < 4; n += 1) firsts.add((await short("own", "@10.61.0.1", "service")).split("\n")[0] ?? "");
    expect([...firsts].sort()).toEqual(["10.61.0.2", "10.61.0.3"]);
    await n.setAlive("web", false);
    await expect.poll(async () => short("own", "@10.61.0.1", "service"), { interval: 50 }).toBe("10.61.0.3");
    expect(await dig("own", "@10.61.0.1", "web")).toEqual(["NXDOMAIN"]);
    await n.setAlive("web", true);
    expect(await short("own", "@10.61.0.1", "web")).toBe("10.61.0.2");
  });

  it("are answered by TCP and over IPv6, and at once when one comes", async () => {
    expect(await short("web", "@10.61.0.1", "+tcp", "db")).toBe("10.61.0.3");
    expect(await short("web", "@fd00:61::1", "db")).toBe("10.61.0.3");
    expect(await short("web", "@fd00:61::1", "+tcp", "db", "AAAA")).toBe("fd00:61::3");
    await n.container("late");
    await n.setAlive("late", true);
    const address = await n.run<string>(
      `return (await attach("late", { network: "front", names: ["late"] })).addresses[0]`,
    );
    expect(await short("web", "@10.61.0.1", "late")).toBe(address.replace("/24", ""));
    await n.run(`await networks.detach("late")`);
    expect(await dig("web", "@10.61.0.1", "late")).toEqual(["NXDOMAIN"]);
  });
});

describe("names of the world", { timeout: 60_000 }, () => {
  it("are what the host's name server says, as the client would hear it itself", async () => {
    const questions = [
      ["www.example.com"],
      ["WWW.example.com", "AAAA"],
      ["alias.example.com"],
      ["txt.example.com", "TXT"],
      ["_http._tcp.example.com", "SRV"],
      ["example.com", "MX"],
      ["odd.example.com", "TYPE65280"],
      ["-x", "198.51.100.7"],
      ["nowhere.example.com"],
      ["www.example.com", "CAA"],
    ];
    for (const question of questions) {
      const direct = await dig("", "@192.0.2.2", ...question);
      expect(await dig("web", "@10.61.0.1", ...question), question.join(" ")).toEqual(direct);
      // Again, from the cache.
      expect((await dig("web", "@10.61.0.1", ...question))[0], question.join(" ")).toEqual(direct[0]);
    }
    const plain = await ask("web", "@10.61.0.1", "+noedns", "www.example.com");
    expect(plain).toMatch(/flags: qr rd ra; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 0/);
    // Too much for 512 bytes: by TCP in the end.
    const many = await ask("web", "@10.61.0.1", "+noedns", "many.example.com");
    expect([many.includes("Truncated, retrying in TCP mode"), many.match(/198\.51\.100\./g)?.length]).toEqual([
      true,
      40,
    ]);
  });

  it("are none of one label, of no zone, or of another class, and none are asked for on an internal network", async () => {
    for (const name of ["nothing", "x.invalid", "x.sampan.internal"])
      expect(await dig("web", "@10.61.0.1", name)).toEqual(["NXDOMAIN"]);
    expect(await dig("web", "@10.61.0.1", "-c", "CH", "version.bind", "TXT")).toEqual(["REFUSED"]);
    const inside = await ask("inner", "@10.63.0.1", "www.example.com");
    expect(inside).toMatch(/status: NXDOMAIN/);
    expect(inside).toMatch(/EDE: 18 \(Prohibited\): \(this network is internal\)/);
    expect(await short("inner", "@10.63.0.1", "inner")).toBe("10.63.0.2");
  });

  it("come from the container's own servers, and from others when the host's change or fail", async () => {
    await n.run(`
      const [endpoint] = store.endpoints({ container: "own" });
      store.saveEndpoint({ ...endpoint, nameServers: ["192.0.2.3"] });`);
    expect(await short("own", "@10.61.0.1", "www.example.com")).toBe("198.51.100.8");
    expect(await short("web", "@10.61.0.1", "www.example.com")).toBe("198.51.100.7");
    await writeFile(`${n.host.directory}/run/resolv.conf`, "nameserver 192.0.2.9\nnameserver 192.0.2.3\n");
    await expect
      .poll(async () => short("web", "@10.61.0.1", "private.example.net"), { timeout: 8000 })
      .toBe("198.51.100.9");
    await writeFile(`${n.host.directory}/run/resolv.conf`, "nameserver 192.0.2.2\n");
  });
});

describe("the process that answers names", { timeout: 60_000 }, () => {
  it("is one, and is replaced when it was killed, without an unanswered question", async () => {
    const [first, ...others] = await processes();
    expect(others).toEqual([]);
    await n.host.must(["kill", "-9", first ?? ""]);
    // Several engines notice at once.
    await Promise.all(
      ["front", "back", "front"].map(async (name) => n.run(`await names.ensure(store.network("${name}"));`)),
    );
    expect(await short("web", "@10.61.0.1", "db")).toBe("10.61.0.3");
    expect(await short("other", "@10.62.0.1", "other")).toBe("10.62.0.2");
    expect(await short("inner", "@10.63.0.1", "inner")).toBe("10.63.0.2");
    const second = await processes();
    expect([second.length, second[0] === first]).toEqual([1, false]);
  });

  it("hands its sockets to that of another version", async () => {
    const [first] = await processes();
    await n.run(`
      const paths = enginePaths();
      const { NameProcess } = await import("#network");
      const { command, directory } = { command: names.command, directory: process.env.SAMPAN_STATE + "/dns" };
      const other = new NameProcess({ directory, store, version: "other", command: [...command.slice(0, -1), "other"] });
      await other.ensure(store.network("front"));`);
    await expect.poll(processes).not.toContain(first);
    for (const from of ["web", "db"]) expect(await short(from, "@10.61.0.1", "both")).toBe("10.61.0.4");
    expect(await processes()).toHaveLength(1);
  });

  it("survives floods and malformed packets, and answers others meanwhile", async () => {
    const flood = `
      import { createSocket } from "node:dgram";
      const socket = createSocket("udp4");
      socket.on("message", () => {});
      const bytes = (n) => Buffer.from(Array.from({ length: n }, () => Math.floor(Math.random() * 256)));
      for (let round = 0; round < 300; round += 1) {
        for (let i = 0; i < 20; i += 1) {
          const junk = bytes(Math.floor(Math.random() * 80));
          if (junk.length > 5 && i % 2) { junk[2] &= 0x07; junk[4] = 0; junk[5] = 1; }
          socket.send(junk, 53, "10.61.0.1");
          const name = "x" + round + "-" + i;
          const question = Buffer.concat([Buffer.from([i, round, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, name.length]), Buffer.from(name), Buffer.from([7, 101, 120, 97, 109, 112, 108, 101, 3, 111, 114, 103, 0, 0, 1, 0, 1])]);
          socket.send(question, 53, "10.61.0.1");
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
      socket.close();`;
    await writeFile(`${n.host.files}/flood.mts`, flood);
    const [node = ""] = (await n.host.must(["sh", "-c", "readlink -f node_modules/.bin/node"])).split("\n");
    await n.host.must(["sh", "-c", "echo nameserver 192.0.2.9 > /run/resolv.conf"]);
    const flooding = n.in("own", node, `${n.host.files}/flood.mts`);
    const connections = n.in(
      "own",
      "sh",
      "-c",
      "for i in $(seq 60); do (sleep 3 | socat -T3 - TCP:10.61.0.1:53 >/dev/null 2>&1 &) ; done",
    );
    const answers = await Promise.all(
      Array.from({ length: 10 }, async () => short("web", "@10.61.0.1", "+tries=3", "db")),
    );
    expect(answers).toEqual(Array.from({ length: 10 }, () => "10.61.0.3"));
    await Promise.all([flooding, connections]);
    expect(await short("web", "@10.61.0.1", "+tcp", "db")).toBe("10.61.0.3");
    expect(await processes()).toHaveLength(1);
    expect(await readFile(`${n.host.state}/dns/log`, "utf8")).toBe("");
    await writeFile(`${n.host.directory}/run/resolv.conf`, "nameserver 192.0.2.2\n");
  });

  it("says who has its port", async () => {
    await n.run(`await networks.create({ name: "taken", subnets: ["10.64.0.0/24"] });`);
    await n.container("there");
    await n.setAlive("there", true);
    await n.run(`await attach("there", { network: "taken" });`);
    const holder = n.host.spawn(["socat", "UDP-LISTEN:53,bind=10.64.0.1,fork", "EXEC:cat"]);
    await expect.poll(async () => (await n.in("", "ss", "-Hlnu")).stdout).toContain("10.64.0.1:53");
    expect(await n.run(`return refused(() => names.ensure(store.network("taken")));`)).toEqual([
      "failed-precondition",
      'Cannot answer names on network "taken": port 53 of its gateway 10.64.0.1 is in use',
    ]);
    holder.kill();
    await holder.exited;
    await n.run(`await names.ensure(store.network("taken"));`);
    expect(await short("there", "@10.64.0.1", "localhost")).toBe("127.0.0.1");
  });
});
