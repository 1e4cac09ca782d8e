/** A test host with CNI: configurations in a directory of its own, Debian's plugins, and plugins that misbehave. */
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StockedHost } from "./stocked-host.ts";
import type { RunOptions } from "./testhost.ts";

/**
 * A plugin for tests: what it does is its name. It writes each call to `LOG`, a line `COMMAND NAME INTERFACE ARGS`, and its
 * configuration to `LOG.NAME.COMMAND`.
 */
const plugin = `#!/bin/sh
# sampan's tests
LOG=@LOG@
name=\${0##*/}
config=$(cat)
echo "$CNI_COMMAND $name \${CNI_IFNAME:-} \${CNI_ARGS:-}" >> $LOG
printf '%s' "$config" > $LOG.$name.$CNI_COMMAND
env > $LOG.env
version=$(printf '%s' "$config" | sed -n 's/.*"cniVersion":"\\([0-9.]*\\)".*/\\1/p' | head -1)
fail() { printf '{"cniVersion":"%s","code":%s,"msg":"%s","details":"%s"}' "$version" "$@"; exit 1; }
result='{"cniVersion":"'$version'","interfaces":[{"name":"eth0","sandbox":"'$CNI_NETNS'"}],"ips":[{"address":"10.99.0.7/24","interface":0}]}'
case $CNI_COMMAND in
VERSION)
  case $name in
  old) echo '{"cniVersion":"0.4.0","supportedVersions":["0.3.1","0.4.0"]}' ;;
  *) echo '{"cniVersion":"1.1.0","supportedVersions":["0.3.1","0.4.0","1.0.0","1.1.0"]}' ;;
  esac ;;
STATUS) [ ! -e $LOG.unready ] || fail 50 "no address" "the pool is empty" ;;
GC|CHECK) ;;
DEL)
  case $name in
  slow) echo deleted >> $LOG.slow ;;
  stuck) [ ! -e $LOG.stuck ] || fail 999 "cannot let go" "" ;;
  esac ;;
ADD)
  case $name in
  hang) sleep 1000 ;;
  crash) kill -SEGV $$ ;;
  words) echo "panic: no memory" >&2; exit 2 ;;
  garbage) echo "Hello, world" ;;
  quiet) ;;
  flood) yes 0123456789012345678901234567890123456789 | head -c 104857600 ;;
  liar) printf '%s' "$result" | sed 's/"cniVersion":"[^"]*"/"cniVersion":"8.8.8"/' ;;
  wrong) printf '%s' "$result" | sed 's/10.99.0.7/10.99.0.777/' ;;
  refuse) fail 7 "no such bridge" "br7" ;;
  old) [ "$version" = 0.4.0 ] || fail 1 "incompatible CNI versions" ""; printf '%s' "$result" ;;
  again) if [ -e $LOG.again ]; then printf '%s' "$result"; else touch $LOG.again; fail 11 "busy" ""; fi ;;
  slow) touch $LOG.started; sleep 1; echo added >> $LOG.slow; printf '%s' "$result" ;;
  rich) printf '%s' "$result" | sed 's/}$/,"dns":{"nameservers":["192.0.2.53"],"search":["cni.example"]},"routes":[{"dst":"0.0.0.0\\/0","mtu":1400}]}/' ;;
  *) printf '%s' "$result" ;;
  esac ;;
esac
`;

const names = ["hang", "crash", "words", "garbage", "quiet", "flood", "liar", "wrong", "refuse", "old", "again"].concat(
  ["slow", "stuck", "rich", "fine"],
);

export class CniHost implements AsyncDisposable {
  readonly stocked: StockedHost;
  readonly #log: string;
  readonly #configurations: string;
  readonly #plugins: string;

  private constructor(stocked: StockedHost) {
    this.stocked = stocked;
    const { files } = stocked.host;
    this.#log = join(files, "cni-log");
    this.#configurations = join(files, "net.d");
    this.#plugins = join(files, "plugins");
  }

  static async create(): Promise<CniHost> {
    const stocked = await StockedHost.create(["busybox"]);
    const host = new CniHost(stocked);
    await mkdir(host.#configurations);
    await mkdir(host.#plugins);
    for (const name of names) {
      const path = join(host.#plugins, name);
      await writeFile(path, plugin.replaceAll("@LOG@", host.#log));
      await chmod(path, 0o755);
    }
    return host;
  }

  get environment(): Readonly<Record<string, string>> {
    return { SAMPAN_CNI_CONFIG: this.#configurations, CNI_PATH: `${this.#plugins}:/usr/lib/cni`, SECRET: "not theirs" };
  }

  /** Writes a file of configurations, in place of all others. */
  async configure(files: Readonly<Record<string, object | string>>): Promise<void> {
    await rm(this.#configurations, { recursive: true, force: true });
    await mkdir(this.#configurations);
    await this.add(files);
  }

  async add(files: Readonly<Record<string, object | string>>): Promise<void> {
    for (const [name, content] of Object.entries(files)) {
      const path = join(this.#configurations, name);
      await mkdir(join(path, ".."), { recursive: true });
      await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
    }
  }

  /** A list `NAME.conflist` with plugins by their names alone. */
  async chain(version: string, ...plugins: readonly (string | object)[]): Promise<void> {
    await this.configure({
      "10-test.conflist": {
        cniVersion: version,
        name: "test",
        plugins: plugins.map((one) => (typeof one === "string" ? { type: one } : one)),
      },
    });
    await this.clearLog();
  }

  async clearLog(): Promise<void> {
    await this.stocked.host.must(["sh", "-c", `rm -f ${this.#log} ${this.#log}.*`]);
  }

  /** What plugins of tests were called with since then: `COMMAND NAME INTERFACE ARGS`. */
  async calls(): Promise<readonly string[]> {
    const text = await readFile(this.#log, "utf8").catch(() => "");
    return text
      .trim()
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");
  }

  /** The configuration that a plugin of tests was given last. */
  async configOf(name: string, command: string): Promise<Record<string, unknown>> {
    return JSON.parse(await this.note(`${name}.${command}`)) as Record<string, unknown>;
  }

  /** A file that plugins of tests have left, empty when they have not. */
  async note(name: string): Promise<string> {
    return await readFile(`${this.#log}.${name}`, "utf8").catch(() => "");
  }

  async setNote(name: string, there: boolean): Promise<void> {
    await (there ? writeFile(`${this.#log}.${name}`, "") : rm(`${this.#log}.${name}`, { force: true }));
  }

  async must(...args: readonly string[]): Promise<string> {
    return await this.stocked.must(args, { env: this.environment });
  }

  /** What is told when it fails. */
  async fails(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const env = { ...this.environment, ...options.env };
    const { code, stderr } = await this.stocked.host.sampan(args, { ...options, env });
    return code === 0 ? "did not fail" : stderr.trim();
  }

  /** A container that sleeps. */
  async sleeper(name: string, ...flags: readonly string[]): Promise<void> {
    await this.must("run", "-d", "--name", name, ...flags, this.stocked.image("busybox"), "sleep", "1000");
  }

  /** What is left of containers: namespaces, locks, rows of the book. */
  async leftovers(): Promise<string> {
    const { host } = this.stocked;
    const list = `cd ${host.state}; ls netns cni 2>/dev/null | grep -v :; grep -c /netns/ /proc/self/mountinfo`;
    const { stdout } = await host.run(["sh", "-c", list]);
    const script = `import { DatabaseSync } from "node:sqlite";
      const book = new DatabaseSync(process.env.SAMPAN_ROOT + "/metadata.db");
      for (const [table, where] of [["cni_attachments", ""], ["network_ports", "WHERE network LIKE 'cni:%'"]])
        console.log(table, book.prepare("SELECT count(*) AS n FROM " + table + " " + where).get().n);`;
    const rows = await host.node(script, {});
    return (stdout + rows.stdout).trim().split(/\s+/).join(" ");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stocked[Symbol.asyncDispose]();
  }
}

/** {@link CniHost.leftovers} of nothing. */
export const nothingLeft = "0 cni_attachments 0 network_ports 0";
