/**
 * `node test/performance/network.ts [--rounds N]`: what a network costs, side by side in one run. A container with none, on
 * the bridge, and with a published port, from creation to removal, and podman's where it is installed; many at once; and
 * transfers and round trips through a published port beside a veth, a bridge and a rule made by hand. Needs root. Everything
 * runs in a test host.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Engine } from "../../src/engine/index.ts";
import { checkout, pinnedNode } from "../support/checkout.ts";
import { addNeighbour } from "../support/network-host.ts";
import { HostProcess } from "../support/process.ts";
import { StockedHost } from "../support/stocked-host.ts";
import { summarize, table, type Summary } from "./statistics.ts";

const { values } = parseArgs({ options: { rounds: { type: "string" }, inside: { type: "string" } } });
const rounds = Number(values.rounds ?? 40);

/** Bytes of one transfer, and questions of one row of round trips. */
const transfer = 1_000_000_000;
const questions = 5000;
const hostPort = 18_080;
/** A machine that does other work at the same time takes long. */
const slow = { timeout: 600_000 };
const options = {
  none: { network: "none" },
  bridge: { network: "bridge" },
  "bridge and a port": { network: "bridge", publish: [`${hostPort}:80`] },
} as const;

if (values.inside === undefined) await outside();
else process.stdout.write(JSON.stringify(await starts(values.inside)));

interface Starts {
  readonly rows: Readonly<Record<string, Summary>>;
  /** Containers with a port a second, eight at a time. */
  readonly perSecond: number;
}

/** In the test host: the library, warm. */
async function starts(image: string): Promise<Starts> {
  await using engine = await Engine.open();
  const one = async (more: object): Promise<number> => {
    const began = performance.now();
    const container = await engine.create({ image, command: ["true"], ...more });
    await container.start();
    await container.wait();
    await container.remove();
    return performance.now() - began;
  };
  const samples = new Map<string, number[]>(Object.keys(options).map((name) => [name, []]));
  for (let round = -5; round < rounds; round++)
    for (const [name, more] of Object.entries(options)) {
      const took = await one(more);
      if (round >= 0) samples.get(name)?.push(took);
    }
  let left = 100;
  const began = performance.now();
  const worker = async (): Promise<void> => {
    while (left-- > 0) await one({ network: "bridge", publish: ["80"] });
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  const perSecond = 100 / ((performance.now() - began) / 1000);
  return { rows: Object.fromEntries([...samples].map(([name, list]) => [name, summarize(list)])), perSecond };
}

async function outside(): Promise<void> {
  await using stocked = await StockedHost.create(["busybox", "redis"]);
  const { host } = stocked;
  await addNeighbour(host);
  const argv = [pinnedNode, join(checkout, "test/performance/network.ts"), "--inside", stocked.image("busybox")];
  const { code, stdout, stderr } = await host.run([...argv, "--rounds", String(rounds)], { timeout: 1_800_000 });
  if (code !== 0) throw new Error(`Cannot measure: ${stderr.slice(0, 1000)}`);
  const { rows, perSecond } = JSON.parse(stdout) as Starts;
  const all: Record<string, Summary> = { ...rows, ...(await podman(stocked)) };
  const lines = Object.entries(all).map(([name, { median, quartile1, quartile3 }]) => [
    name,
    median.toFixed(1),
    `${quartile1.toFixed(1)}–${quartile3.toFixed(1)}`,
  ]);
  process.stdout.write(`\n${table([["create, start, remove (ms)", "median", "quartiles"], ...lines])}`);
  process.stdout.write(`100 containers with a port, 8 at a time: ${perSecond.toFixed(0)} a second\n\n`);
  process.stdout.write(table([["through", "MB/s", "round trips/s"], ...(await paths(stocked))]));
}

/** Rows of podman's command, beside Sampan's; none where it does not work. */
async function podman(stocked: StockedHost): Promise<Readonly<Record<string, Summary>>> {
  const { host } = stocked;
  const directory = "/run/podman-bench";
  const own = ["runroot", "tmpdir", "volumepath"].flatMap((option) => [`--${option}`, join(directory, option)]);
  const base = [
    "--root",
    join(host.files, "podman"),
    ...own,
    "--storage-driver",
    "overlay",
    "--cgroup-manager",
    "cgroupfs",
  ];
  const flags = ["--rm", "--cgroup-parent", host.cgroupParent, "--log-driver", "k8s-file", "--tls-verify=false"];
  const image = stocked.image("busybox");
  await mkdir(join(host.files, "podman"));
  const commands: Readonly<Record<string, readonly string[]>> = {
    "podman run, none": ["podman", ...base, "run", ...flags, "--network", "none", image, "true"],
    "podman run, a port": ["podman", ...base, "run", ...flags, "-p", `${hostPort + 1}:80`, image, "true"],
    "sampan run, none": [join(checkout, "sampan"), "run", "--rm", "--network", "none", image, "true"],
    "sampan run, a port": [join(checkout, "sampan"), "run", "--rm", "-p", `${hostPort}:80`, image, "true"],
  };
  const samples = new Map<string, number[]>();
  for (let round = -1; round < Math.ceil(rounds / 4); round++)
    for (const [name, argv] of Object.entries(commands)) {
      const began = performance.now();
      const { code } = await host.run(argv, { timeout: 120_000 });
      if (code !== 0) continue;
      if (round >= 0) samples.set(name, [...(samples.get(name) ?? []), performance.now() - began]);
    }
  return Object.fromEntries([...samples].map(([name, list]) => [name, summarize(list)]));
}

/** Transfers and round trips from a neighbour to a container, by our bridge and by one made by hand; in turn. */
async function paths(stocked: StockedHost): Promise<readonly (readonly string[])[]> {
  const { host } = stocked;
  const server = ["--save", "", "--protected-mode", "no", "--bind", "0.0.0.0"];
  const ports = ["-p", "6380:6379", "-p", "7001:7000"];
  await stocked.must(["run", "-d", "--name", "redis", ...ports, stocked.image("redis"), ...server]);
  // The same server in the network made by hand: a container without one, whose namespace is given a name.
  await stocked.must(["run", "-d", "--name", "hand", "--network", "none", stocked.image("redis"), ...server]);
  const pid = String((await stocked.inspect("redis")).State.Pid);
  const handPid = String((await stocked.inspect("hand")).State.Pid);
  const inHand = ["ip", "netns", "exec", "hand"];
  await host.must([
    "sh",
    "-ec",
    `ip netns attach hand ${handPid}
     ip link add handbr type bridge stp_state 0; ip address add 10.200.0.1/24 dev handbr; ip link set handbr up
     ip link add handv type veth peer name eth0 netns hand; ip link set handv master handbr up
     ip -n hand address add 10.200.0.2/24 dev eth0; ip -n hand link set eth0 up; ip -n hand link set lo up
     ip -n hand route add default via 10.200.0.1
     nft add table ip hand
     nft add chain ip hand pre '{ type nat hook prerouting priority dstnat; }'
     nft add rule ip hand pre fib daddr type local tcp dport 6381 dnat to 10.200.0.2:6379
     nft add rule ip hand pre fib daddr type local tcp dport 7002 dnat to 10.200.0.2:7000`,
  ]);
  const ways = [
    { name: "our bridge", redis: 6380, port: 7001, into: ["nsenter", "-t", pid, "-n"] },
    { name: "a bridge made by hand", redis: 6381, port: 7002, into: inHand },
  ];
  const found = ways.map(() => ({ transfers: [] as number[], trips: [] as number[] }));
  for (let round = 0; round < 5; round++)
    for (const [index, { redis, port, into }] of ways.entries()) {
      const trips = await host.must(
        [
          "ip",
          "netns",
          "exec",
          "lan",
          "sh",
          "-c",
          `redis-benchmark -h 192.0.2.1 -p ${redis} -c 1 -n ${questions} -t ping_inline -q | tr '\\r' '\\n' | grep 'per second' | tail -1`,
        ],
        slow,
      );
      found[index]?.trips.push(Number(/([\d.]+) requests per second/.exec(trips)?.[1]));
      const sink = host.spawn([...into, "socat", "-u", "-b", "1048576", "TCP-LISTEN:7000,reuseaddr", "OPEN:/dev/null"]);
      await listening(host, into, sink);
      const source = `head -c ${transfer} /dev/zero | socat -u -b 1048576 - TCP:192.0.2.1:${port}`;
      const began = performance.now();
      await host.must(["ip", "netns", "exec", "lan", "sh", "-c", source], slow);
      await sink.exited;
      found[index]?.transfers.push(transfer / 1e6 / ((performance.now() - began) / 1000));
    }
  return ways.map(({ name }, index) => [
    name,
    summarize(found[index]?.transfers ?? []).median.toFixed(0),
    summarize(found[index]?.trips ?? []).median.toFixed(0),
  ]);
}

async function listening(host: StockedHost["host"], into: readonly string[], server: HostProcess): Promise<void> {
  const ended = server.exited.then(() => true);
  for (;;) {
    if ((await host.run([...into, "ss", "-Hltn"])).stdout.includes(":7000 ")) return;
    if (await Promise.race([ended, new Promise<false>((resolve) => setTimeout(() => resolve(false), 20))]))
      throw new Error("the server has ended");
  }
}
