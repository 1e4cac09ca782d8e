/**
 * A test host: a machine of its own for one test, as far as namespaces can make one. It has its own PID, mount, network,
 * IPC and UTS namespace, its own /run and /tmp, and directories for Sampan's root and state. Disposing it ends every
 * process in it (they cannot leave the PID namespace), and removes its cgroups and files.
 *
 *     vitest ── unshare ──fork──> init (pid 1 of the host: waits for the end of its stdin, reaps orphans)
 *        └───── nsenter ──fork──> a command of `run`, `spawn` or `sampan`
 *
 * Because init ends when its stdin does, a host never outlives the test process, however that one dies. Cgroups and
 * files that such a death leaves behind are removed by the next host that is created.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { Buffer } from "node:buffer";
import { removeCgroups, thawCgroups } from "./cgroups.ts";
import { checkout, pinnedNode } from "./checkout.ts";
import { HostProcess, collect, type CommandResult } from "./process.ts";

/** Holds the hosts' directories. Not below /tmp, which each host covers with its own. */
const base = "/var/tmp";
const prefix = "sampan-test-";

export interface RunOptions {
  /** Added to the host's environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Bytes or text for stdin, which is empty without it. */
  readonly input?: string | Uint8Array;
  /** Milliseconds until the command and its process group are killed, 60,000 if not given. */
  readonly timeout?: number;
  /** Working directory inside the host, the checkout if not given. */
  readonly cwd?: string;
}

/**
 * Runs as pid 1 of the host. $1 is the host's directory, $2 the checkout. /proc is still the outer one at first, so that
 * the pid read from it is the one by which the test process knows init. SIGCHLD stays ignored through exec (dash's trap
 * does not ignore it), and a
 * process that ignores it never leaves a zombie, which is all the reaping that an init has to do. A new sysfs shows the
 * network namespace's interfaces; the cgroup mounts are taken over to it.
 */
const init = `
set -e
read -r outer rest < /proc/self/stat
mount -n --make-rprivate /
mount -n -t proc proc /proc
mkdir "$1/cgroup"
mount -n --rbind /sys/fs/cgroup "$1/cgroup"
mount -n -t sysfs sysfs /sys
mount -n --move "$1/cgroup" /sys/fs/cgroup
rmdir "$1/cgroup"
case $2 in /tmp/*) mkdir -p "$1/tmp\${2#/tmp}"; mount -n --rbind "$2" "$1/tmp\${2#/tmp}";; esac
mount -n --rbind "$1/tmp" /tmp
mount -n --bind "$1/run" /run
mount -n -t tmpfs -o mode=1777 shm /dev/shm
mkdir -p /run/lock
hostname sampan-test
ip link set lo up
echo "$outer"
exec env --ignore-signal=CHLD cat > /dev/null
`;

export class TestHost implements AsyncDisposable {
  /** `sampan-test-<pid of the test process>-<random>`. */
  readonly id: string;
  /** Directory outside that holds everything below; visible under the same path inside. */
  readonly directory: string;
  /** SAMPAN_ROOT: images, snapshots, metadata. */
  readonly root: string;
  /** SAMPAN_STATE: run-time state. */
  readonly state: string;
  /** For the test's own files; under the same path inside and outside. */
  readonly files: string;
  /** SAMPAN_CGROUP_PARENT, the same in each hierarchy. */
  readonly cgroupParent: string;
  /** Pid of init as the test process sees it; /proc/<initPid>/root is the host's view of files. */
  readonly initPid: number;
  /** The host's environment variables. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #holder: ChildProcess;
  readonly #children = new Set<HostProcess>();

  private constructor(directory: string, holder: ChildProcess, initPid: number) {
    this.id = basename(directory);
    this.directory = directory;
    this.root = join(directory, "root");
    this.state = join(directory, "state");
    this.files = join(directory, "files");
    this.cgroupParent = `/${this.id}`;
    this.initPid = initPid;
    this.#holder = holder;
    this.environment = {
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      HOME: join(directory, "home"),
      LANG: "C.UTF-8",
      SAMPAN_ROOT: this.root,
      SAMPAN_STATE: this.state,
      SAMPAN_CGROUP_PARENT: this.cgroupParent,
    };
  }

  /**
   * Makes a host. Needs root.
   *
   * @throws Error with what the host's set-up printed, when it failed; nothing is left behind then
   */
  static async create(): Promise<TestHost> {
    await sweep();
    const directory = await mkdtemp(join(base, `${prefix}${process.pid}-`));
    try {
      for (const name of ["root", "state", "files", "home", "tmp", "run"]) await mkdir(join(directory, name));
      const namespaces = ["--pid", "--mount", "--net", "--ipc", "--uts"];
      const holder = spawn(
        "unshare",
        [...namespaces, "--fork", "--kill-child", "sh", "-c", init, "sampan-test-init", directory, checkout],
        { stdio: ["pipe", "pipe", "pipe"], detached: true },
      );
      const initPid = await readPid(holder);
      return new TestHost(directory, holder, initPid);
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  /**
   * Starts a command in the host, with pipes for its stdio.
   *
   * @param argv program, looked up in the host's PATH, and its arguments
   */
  spawn(argv: readonly string[], options: Omit<RunOptions, "input" | "timeout"> = {}): HostProcess {
    const environment = Object.entries({ ...this.environment, ...options.env });
    const variables = environment.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
    const enter = ["--target", String(this.initPid), "--pid", "--mount", "--net", "--ipc", "--uts", "--", "setsid"];
    const command = ["env", "--ignore-environment", `--chdir=${options.cwd ?? checkout}`, ...variables, ...argv];
    const child = spawn("nsenter", [...enter, ...command], { stdio: ["pipe", "pipe", "pipe"], detached: true });
    const started = new HostProcess(child);
    this.#children.add(started);
    child.once("close", () => this.#children.delete(started));
    return started;
  }

  /**
   * Runs a command in the host to its end, with `input` as its stdin.
   *
   * @returns output as text and the exit code: 128+n when signal n ended it, 124 after the timeout
   */
  async run(argv: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    return await collect(this.spawn(argv, options), options);
  }

  /**
   * Like {@link TestHost.run}, for commands of the test's own set-up, which must succeed.
   *
   * @returns stdout without the final newline
   * @throws Error with the output when the exit code is not 0
   */
  async must(argv: readonly string[], options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(argv, options);
    if (code !== 0) throw new Error(`Cannot run "${argv.join(" ")}": exit code ${code}\n${stdout}${stderr}`);
    return stdout.replace(/\n$/, "");
  }

  /** Runs the checkout's `./sampan` in the host. */
  async sampan(args: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    return await this.run([join(checkout, "sampan"), ...args], options);
  }

  /** Starts the checkout's `./sampan` in the host. */
  spawnSampan(args: readonly string[], options: Omit<RunOptions, "input" | "timeout"> = {}): HostProcess {
    return this.spawn([join(checkout, "sampan"), ...args], options);
  }

  /**
   * Runs an ES module in TypeScript with the pinned Node in the host: how a test uses the library there. The module may
   * import `#engine` and the like, as it runs below the checkout's `build`.
   */
  async node(source: string, options: RunOptions = {}): Promise<CommandResult> {
    const directory = join(checkout, "build", "test-scripts");
    await mkdir(directory, { recursive: true });
    const file = join(directory, `${this.id}-${Math.random().toString(36).slice(2)}.ts`);
    await writeFile(file, source);
    try {
      return await this.run([pinnedNode, file], options);
    } finally {
      await rm(file);
    }
  }

  /** Processes of the host, by the pids they have inside, without init. */
  async processes(): Promise<readonly number[]> {
    const names = await readdir(`/proc/${this.initPid}/root/proc`);
    return names.map(Number).filter((pid) => pid > 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = this.#holder.exitCode === null && this.#holder.signalCode === null;
    const children = [...this.#children].map((child) => child.exited);
    const holder = closed ? once(this.#holder, "exit") : undefined;
    await thawCgroups(this.id);
    // The kernel kills every process of the PID namespace before init's end is reported.
    this.#holder.stdin?.end();
    await holder;
    await Promise.all(children);
    await removeCgroups(this.id);
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Reads init's pid from the holder's first line. */
async function readPid(holder: ChildProcess): Promise<number> {
  let output = "";
  let errors = "";
  holder.stderr?.on("data", (data: Buffer) => (errors += data.toString()));
  await new Promise<void>((resolve, reject) => {
    holder.once("error", reject);
    holder.once("close", (code) =>
      reject(new Error(`Cannot make a test host: set-up ended with ${code}\n${errors.trim()}`)),
    );
    holder.stdout?.on("data", (data: Buffer) => {
      output += data.toString();
      if (output.includes("\n")) resolve();
    });
  });
  return Number(output.trim());
}

/** Removes what hosts of test processes that are gone left behind. */
async function sweep(): Promise<void> {
  for (const name of await readdir(base)) {
    const [, pid] = /^sampan-test-(\d+)-/.exec(name) ?? [];
    if (pid === undefined || (await isAlive(pid))) continue;
    await thawCgroups(name);
    await removeCgroups(name);
    await rm(join(base, name), { recursive: true, force: true });
  }
}

const isAlive = async (pid: string): Promise<boolean> =>
  await readFile(`/proc/${pid}/stat`).then(
    () => true,
    () => false,
  );
