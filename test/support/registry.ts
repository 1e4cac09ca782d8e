/** Debian's `docker-registry`, the reference implementation of the distribution protocol, on a loopback port. */
import { spawn as spawnHere } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runHere, type CommandResult } from "./process.ts";
import type { TestHost } from "./testhost.ts";

export interface RegistryOptions {
  /** Host to run it in; on the machine's own loopback when not given, for tests of the client in their own process. */
  readonly host?: TestHost;
  /** Passwords by user: asks for basic authentication when given. */
  readonly users?: Readonly<Record<string, string>>;
  /** Certificate and key in PEM: speaks TLS when given, and with an authority asks for clients' certificates. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientAuthority?: string };
  /** Directory with a client's certificate in Docker's layout, for {@link Registry.push}. */
  readonly certificates?: string;
  /** Extra environment, e.g. `REGISTRY_PROXY_REMOTEURL`. */
  readonly env?: Readonly<Record<string, string>>;
}

export class Registry implements AsyncDisposable {
  /** `127.0.0.1:<port>`, as it stands in an image reference. */
  readonly address: string;
  readonly port: number;
  /** Where it stores blobs, for tests that damage them: `docker/registry/v2/blobs/sha256/<2 digits>/<digest>/data`. */
  readonly storage: string;
  readonly #host: TestHost | undefined;
  readonly #users: Readonly<Record<string, string>>;
  readonly #certificates: string | undefined;
  readonly #directory: string;
  readonly #stop: () => Promise<void>;

  private constructor(
    port: number,
    directory: string,
    { host, users = {}, certificates }: RegistryOptions,
    stop: () => Promise<void>,
  ) {
    this.port = port;
    this.address = `127.0.0.1:${port}`;
    this.storage = join(directory, "storage");
    this.#host = host;
    this.#users = users;
    this.#certificates = certificates;
    this.#directory = directory;
    this.#stop = stop;
  }

  /**
   * Starts a registry and waits until it answers.
   *
   * @throws Error with its log when it ends or does not answer within 15 seconds
   */
  static async start(options: RegistryOptions = {}): Promise<Registry> {
    const { host, users, tls, env = {} } = options;
    const directory = await mkdtemp(join(host?.files ?? tmpdir(), "sampan-registry-"));
    const port = await freePort();
    const environment: Record<string, string> = {
      PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
      REGISTRY_VERSION: "0.1",
      REGISTRY_LOG_LEVEL: "warn",
      REGISTRY_HTTP_ADDR: `127.0.0.1:${port}`,
      REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: join(directory, "storage"),
      REGISTRY_STORAGE_DELETE_ENABLED: "true",
      OTEL_TRACES_EXPORTER: "none",
      ...env,
    };
    await mkdir(join(directory, "storage"));
    if (users !== undefined) {
      const lines = await Promise.all(
        Object.entries(users).map(async ([user, word]) => `${user}:${await bcrypt(word)}`),
      );
      await writeFile(join(directory, "htpasswd"), `${lines.join("\n")}\n`);
      environment["REGISTRY_AUTH"] = "htpasswd";
      environment["REGISTRY_AUTH_HTPASSWD_REALM"] = "sampan-test";
      environment["REGISTRY_AUTH_HTPASSWD_PATH"] = join(directory, "htpasswd");
    }
    if (tls !== undefined) {
      environment["REGISTRY_HTTP_TLS_CERTIFICATE"] = join(directory, "tls.crt");
      environment["REGISTRY_HTTP_TLS_KEY"] = join(directory, "tls.key");
      await writeFile(join(directory, "tls.crt"), tls.cert);
      await writeFile(join(directory, "tls.key"), tls.key);
      if (tls.clientAuthority !== undefined) await writeFile(join(directory, "clients.crt"), tls.clientAuthority);
    }
    const clients = tls?.clientAuthority === undefined ? "" : `  tls:\n    clientcas: [${directory}/clients.crt]\n`;
    const config = join(directory, "config.yml");
    const http = clients === "" ? "http: {}\n" : `http:\n${clients}`;
    await writeFile(config, `version: 0.1\nstorage:\n  filesystem: {}\n${http}`);

    const argv = ["docker-registry", "serve", config] as const;
    let log = "";
    let ended = false;
    const note = (data: Buffer): void => void (log += data.toString());
    let stop: () => Promise<void>;
    if (host === undefined) {
      const child = spawnHere(argv[0], argv.slice(1), { env: environment, stdio: ["ignore", "pipe", "pipe"] });
      child.stdout.on("data", note);
      child.stderr.on("data", note);
      const exited = new Promise<void>((resolve) => {
        child.once("error", (error) => note(Buffer.from(error.message)));
        child.once("close", () => resolve());
      }).then(() => void (ended = true));
      stop = async () => {
        child.kill("SIGKILL");
        await exited;
      };
    } else {
      const child = host.spawn(argv, { env: environment });
      child.stdout.on("data", note);
      child.stderr.on("data", note);
      const exited = child.exited.then(() => void (ended = true));
      stop = async () => {
        child.kill();
        await exited;
      };
    }
    const registry = new Registry(port, directory, options, stop);
    for (let attempt = 0; !(await answers(port, host)); attempt++) {
      if (ended || attempt === 300) {
        await registry[Symbol.asyncDispose]();
        throw new Error(`Cannot start docker-registry: ${ended ? "it ended" : "no answer"}\n${log}`);
      }
      await sleep(50);
    }
    return registry;
  }

  /**
   * Copies an image into the registry with skopeo.
   *
   * @param source skopeo's name of it, e.g. `oci:build/test-images/busybox:latest`
   * @param name repository with tag, e.g. `library/busybox:latest`
   * @param args further arguments of `skopeo copy`, e.g. `--format v2s2` or `--multi-arch all`
   */
  async push(source: string, name: string, args: readonly string[] = []): Promise<void> {
    const [user] = Object.entries(this.#users);
    const credentials = user === undefined ? [] : ["--dest-creds", user.join(":")];
    const target = `docker://${this.address}/${name}`;
    const certificates = this.#certificates === undefined ? [] : ["--dest-cert-dir", this.#certificates];
    const options = ["--quiet", "--dest-tls-verify=false", ...certificates, ...credentials, ...args];
    const copy = ["skopeo", "--insecure-policy", "copy", ...options];
    const { code, stderr } = await this.#run([...copy, source, target]);
    if (code !== 0) throw new Error(`Cannot push "${name}": ${stderr}`);
  }

  /** Ends it at once, in the middle of whatever it answers. Its storage stays until it is disposed. */
  async stop(): Promise<void> {
    await this.#stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #run(argv: readonly string[]): Promise<CommandResult> {
    return await (this.#host === undefined ? runHere(argv) : this.#host.run(argv));
  }
}

/** A TCP port of the machine's loopback that nothing listens on. In a test host every port is free, so this one too. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("Cannot find a free port: no address");
  return address.port;
}

/** Connects, which is enough: the registry listens once it can answer. */
async function answers(port: number, host: TestHost | undefined): Promise<boolean> {
  if (host !== undefined) {
    const listening = await host.must(["cat", "/proc/net/tcp"]);
    return listening.includes(`0100007F:${port.toString(16).toUpperCase().padStart(4, "0")} 00000000:0000 0A`);
  }
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, "127.0.0.1", () => resolve(true));
  socket.once("error", () => resolve(false));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}

/** The registry takes bcrypt only, which the C library's crypt(3) makes; perl, essential on Debian, calls it. */
async function bcrypt(password: string): Promise<string> {
  const program = "print crypt(<STDIN>, '$2b$04$' . 'sampansampansampansamp.')";
  const { stdout, stderr, code } = await runHere(["perl", "-e", program], { input: password });
  if (code !== 0 || !stdout.startsWith("$2b$")) throw new Error(`Cannot hash a password: ${stderr}`);
  return stdout;
}
