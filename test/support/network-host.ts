/** A test host with networks: Sampan's own, namespaces as containers, and a neighbour outside. */
import { TestHost } from "./testhost.ts";

const prelude = `
import { KeelExecutor } from "#keel";
import { openDatabase } from "#images";
import { Networks, parseEgress, parsePublish } from "#network";
import { DatabaseNetworkStore, enginePaths } from "#engine";
import { nameProcess } from "../../src/engine/name-process.ts";
const store = new DatabaseNetworkStore(openDatabase(process.env.SAMPAN_ROOT + "/metadata.db"));
await using executor = new KeelExecutor(process.env.KEEL);
const networks = new Networks({ store, executor });
const names = nameProcess(enginePaths(), store);
const attach = (name, options) => networks.attach(name, "/run/netns/" + name, options);
const refused = async (action) => {
  try { await action(); return "was not refused"; } catch (error) { return [error.code ?? "none", error.message]; }
};
`;

/** A neighbour outside: the namespace `lan`, 192.0.2.2 and 2001:db8::2; the host is 192.0.2.1 and 2001:db8::1. */
export async function addNeighbour(host: TestHost): Promise<void> {
  await host.must([
    "sh",
    "-ec",
    `
      ip netns add lan
      ip link add name out0 type veth peer name eth0 netns lan
      ip address add 192.0.2.1/24 dev out0
      ip address add 2001:db8::1/64 dev out0 nodad
      ip link set out0 up
      ip -n lan address add 192.0.2.2/24 dev eth0
      ip -n lan address add 2001:db8::2/64 dev eth0 nodad
      ip -n lan link set lo up
      ip -n lan link set eth0 up
      `,
  ]);
}

export class NetworkHost implements AsyncDisposable {
  readonly host: TestHost;

  private constructor(host: TestHost) {
    this.host = host;
  }

  /** With a neighbour, as {@link addNeighbour} makes it. */
  static async create(): Promise<NetworkHost> {
    const host = await TestHost.create();
    await addNeighbour(host);
    return new NetworkHost(host);
  }

  /** Makes a namespace that stands for a container, at /run/netns/NAME. */
  async container(...names: string[]): Promise<void> {
    for (const name of names) await this.host.must(["ip", "netns", "add", name]);
  }

  /** Lets a container run, or end, as far as those can see who ask. */
  async setAlive(name: string, alive: boolean): Promise<void> {
    const directory = `${this.host.state}/containers/${name}`;
    await this.host.must([
      "sh",
      "-ec",
      `mkdir -p ${directory}; rm -f ${directory}/exit; echo 1 $(cut -d' ' -f22 /proc/1/stat) > ${directory}/pid
      ${alive ? "" : `echo 0 0 0 1 0 > ${directory}/exit`}`,
    ]);
  }

  /** Runs TypeScript in the host, with \`networks\`, \`attach\`, \`refused\`, \`parsePublish\`; gives what it returns. */
  async run<T = unknown>(body: string): Promise<T> {
    const source = `${prelude}const result = await (async () => { ${body} })();\nconsole.log(JSON.stringify(result ?? null));`;
    const { code, stdout, stderr } = await this.host.node(source, { timeout: 150_000 });
    if (code !== 0) throw new Error(stderr.slice(0, 2000));
    return JSON.parse(stdout) as T;
  }

  /** Runs a command in a namespace, or with \`""\` in the host's own. */
  async in(name: string, ...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    return await this.host.run(name === "" ? argv : ["ip", "netns", "exec", name, ...argv], { timeout: 20_000 });
  }

  /** Whether a ping comes back. */
  async pings(from: string, to: string): Promise<boolean> {
    return (await this.in(from, "ping", "-n", "-c1", "-W1", to)).code === 0;
  }

  /** A server that answers each connection with the address that it came from. */
  async serve(name: string, address: string): Promise<void> {
    const listen = address.includes("UDP") ? `${address},fork` : `${address},fork,reuseaddr`;
    const argv = ["socat", listen, 'SYSTEM:read x; echo "$SOCAT_PEERADDR"'];
    this.host.spawn(name === "" ? argv : ["ip", "netns", "exec", name, ...argv]);
    const port = /:(\d+)/.exec(address)?.[1] ?? "";
    for (const end = Date.now() + 10_000; Date.now() < end;) {
      const { stdout } = await this.in(name, "ss", "-Hlnut");
      if (stdout.includes(`:${port} `)) return;
    }
    throw new Error(`nobody listens on ${address}`);
  }

  /** What a server says to whoever connects, empty when there is no answer. */
  async asks(from: string, address: string): Promise<string> {
    const { stdout } = await this.in(
      from,
      "sh",
      "-c",
      `echo x | socat -t2 -T2 - ${address},connect-timeout=1 2>/dev/null`,
    );
    return stdout.trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host[Symbol.asyncDispose]();
  }
}
