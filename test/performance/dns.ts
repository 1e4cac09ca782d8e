/**
 * `node test/performance/dns.ts`: answers a second, and how long one takes, of the process that answers names and of dnsmasq,
 * in turn, from the same container; names of containers, and names of the world from the cache. Build first.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { NetworkHost } from "../support/network-host.ts";

interface Load {
  readonly answers: number;
  readonly lost: number;
  readonly microseconds: number;
  readonly p50: number;
  readonly p99: number;
}

const rounds = 3;
const milliseconds = 2000;

await using n = await NetworkHost.create();
const program = join(n.host.files, "dns-load");
execFileSync("gcc", ["-O2", "-o", program, new URL("dns-load.c", import.meta.url).pathname]);
const dnsmasq =
  "dnsmasq --keep-in-foreground --no-hosts --bind-interfaces --user=root --pid-file= --cache-size=1000 --local-ttl=600";
const world = ["--no-resolv", "--listen-address=192.0.2.2", "--host-record=www.example.com,198.51.100.7"];
n.host.spawn(["ip", "netns", "exec", "lan", ...dnsmasq.split(" "), ...world]);
await n.host.must([
  "sh",
  "-c",
  "echo nameserver 192.0.2.2 > /run/resolv.conf; mount --bind /run/resolv.conf /etc/resolv.conf",
]);
await n.container("web", "db");
for (const name of ["web", "db"]) await n.setAlive(name, true);
await n.run(`
  await networks.create({ name: "front", subnets: ["10.61.0.0/24"] });
  for (const name of ["web", "db"]) await attach(name, { network: "front", names: [name] });
  await names.ensure(store.network("front"));`);
await n.host.must(["ip", "address", "add", "10.61.0.9/24", "dev", "out0"]);
n.host.spawn([
  ...dnsmasq.split(" "),
  ..."--no-resolv --server=192.0.2.2 --listen-address=10.61.0.9 --host-record=db,10.61.0.3".split(" "),
]);
const pid = (await n.host.must(["pgrep", "-f", "sampan-dns.cjs"])).trim();
/** Microseconds of processor time that a server has taken; a tick is 10 ms. */
const processor = async (server: string): Promise<number> => {
  const found = server === "10.61.0.1" ? pid : (await n.host.must(["pgrep", "-f", "listen-address=10.61.0.9"])).trim();
  const stat = await n.host.must(["cat", `/proc/${found}/stat`]);
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 13)
    .map(Number);
  return (user + system) * 10_000;
};
const pss = async (): Promise<string> => {
  const text = await n.host.must(["grep", "-E", "^(Rss|Pss|Private_Dirty):", `/proc/${pid}/smaps_rollup`]);
  return text.replaceAll(/\s+/g, " ");
};
console.log(await pss());

const subjects = [
  ["Sampan, a container", "10.61.0.1", "db"],
  ["dnsmasq, a host", "10.61.0.9", "db"],
  ["Sampan, the world", "10.61.0.1", "www.example.com"],
  ["dnsmasq, the world", "10.61.0.9", "www.example.com"],
] as const;
const load = async (server: string, name: string, time: number, window: number): Promise<Load> => {
  const { stdout, stderr, code } = await n.in("web", program, server, name, String(time), String(window));
  if (code !== 0) throw new Error(`dns-load ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as Load;
};
for (const [, server, name] of subjects) await load(server, name, 500, 16);
const table: Record<string, Readonly<Record<string, number>>> = {};
for (const window of [1, 16])
  for (const [title, server, name] of subjects) {
    const loads: Load[] = [];
    const before = await processor(server);
    for (let round = 0; round < rounds; round += 1) loads.push(await load(server, name, milliseconds, window));
    const best = loads.reduce((a, b) => (a.answers > b.answers ? a : b));
    table[`${title}, ${window} at a time`] = {
      "answers/s": Math.round((best.answers * 1e6) / best.microseconds),
      // Whatever else the machine does.
      "processor µs": Math.round(
        ((await processor(server)) - before) / loads.reduce((sum, { answers }) => sum + answers, 0),
      ),
      "p50 µs": best.p50,
      "p99 µs": best.p99,
      lost: loads.reduce((sum, { lost }) => sum + lost, 0),
    };
  }
console.table(table);
console.log(await pss());
