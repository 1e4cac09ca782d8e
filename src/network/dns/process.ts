/** The process that answers names, for all networks of one state directory. */
import { Server } from "node:net";
import { once } from "node:events";
import type { EndpointRecord, NetworkRecord } from "../records.ts";
import { Directory } from "./directory.ts";
import { Forwarder } from "./forwarder.ts";
import { gatewaysInUse } from "./gateways.ts";
import { HostResolvers } from "./resolv-conf.ts";
import { Responder, type NameGate } from "./responder.ts";
import { NameServer } from "./server.ts";
import {
  bindControl,
  controlIdentity,
  firstDescriptor,
  serveControl,
  spawnServer,
  type ControlReply,
  type ControlRequest,
} from "./control.ts";
import { close, enlarge, inherit, isTaken, listen, type Listener } from "./sockets.ts";
import { namePort } from "./service.ts";

/** What is written down of networks. */
export interface NameSource {
  /** Another number after each change, and before it is seen anywhere else. Asked before each answer. */
  generation(): number;
  networks(): readonly NetworkRecord[];
  endpoints(): readonly EndpointRecord[];
  /** Whether a container runs, or waits for its start. */
  isAlive(container: string): boolean;
}

export interface ServeOptions {
  /** Of the control socket. */
  readonly directory: string;
  /** What this process was started with, without the addresses. */
  readonly version: string;
  readonly source: NameSource;
  /** Addresses whose sockets it was started with; undefined when it was started without any. */
  readonly inherited: readonly string[] | undefined;
  /** The host's resolv.conf. */
  readonly resolvConf: string;
  readonly gate?: NameGate & { readonly changed?: () => Promise<void> };
}

/** Milliseconds between looks at whether anybody is left, and how long nobody has to be there before it ends. */
const beat = 2000;
const linger = 20_000;
/** Milliseconds for which a look at the networks holds: less than it takes to notice that one has changed. */
const glance = 0.25;

/** Resolves when nobody needs it any more. */
export async function serveNames(options: ServeOptions): Promise<void> {
  const process = new NameServing(options);
  await process.run();
}

class NameServing {
  readonly #options: ServeOptions;
  readonly #listeners = new Map<string, Listener>();
  readonly #server: NameServer;
  #directory = new Directory([], [], () => false);
  #generation = -1;
  #control = new Server();
  #ended = Promise.withResolvers<void>();
  #listening: Promise<void> = Promise.resolve();
  #lastUse = performance.now();
  #looked = Number.NEGATIVE_INFINITY;
  #identity: string | undefined;

  constructor(options: ServeOptions) {
    this.#options = options;
    const resolvers = new HostResolvers(options.resolvConf);
    const responder = new Responder({
      directory: () => this.#current(),
      forwarder: new Forwarder(),
      // One of our own would ask itself.
      hostServers: () => resolvers.servers(performance.now()).filter((address) => !this.#listeners.has(address)),
      gate: options.gate,
    });
    this.#server = new NameServer(responder);
  }

  async run(): Promise<void> {
    const { inherited, directory } = this.#options;
    let fd = firstDescriptor + 1;
    for (const address of inherited ?? []) {
      this.#serve(await inherit(address, fd, fd + 1));
      fd += 2;
    }
    if (inherited === undefined) this.#control = await bindControl(directory);
    else {
      const listening = once(this.#control, "listening");
      this.#control.listen({ fd: firstDescriptor });
      await listening;
    }
    this.#identity = controlIdentity(directory);
    serveControl(this.#control, async (request) => this.#answer(request));
    await this.#listen().catch(report);
    const timer = setInterval(() => void this.#beat().catch(report), beat);
    await this.#ended.promise;
    clearInterval(timer);
    this.#control.close();
    for (const listener of this.#listeners.values()) close(listener);
  }

  #serve(listener: Listener): void {
    enlarge(listener);
    this.#listeners.set(listener.address, listener);
    this.#server.serve(listener);
  }

  /** Networks as they are at this moment; of questions that come at once, one looks. */
  #current(): Directory {
    const now = performance.now();
    if (now - this.#looked < glance) return this.#directory;
    this.#looked = now;
    const { source } = this.#options;
    const generation = source.generation();
    if (generation !== this.#generation) {
      this.#directory = new Directory(source.networks(), source.endpoints(), (container) => source.isAlive(container));
      this.#generation = generation;
    }
    return this.#directory;
  }

  async #answer({ version, command }: ControlRequest): Promise<ControlReply> {
    this.#lastUse = performance.now();
    this.#looked = Number.NEGATIVE_INFINITY;
    await this.#listen();
    await this.#options.gate?.changed?.();
    if (version === this.#options.version) return {};
    spawnServer(this.#options.directory, command, this.#control, [...this.#listeners.values()]);
    this.#ended.resolve();
    return {};
  }

  /** Listens at the gateways of all networks in use, and at no others. One after another. */
  async #listen(): Promise<void> {
    const before = this.#listening;
    this.#listening = before.catch(() => undefined).then(async () => this.#listenNow());
    await this.#listening;
  }

  async #listenNow(): Promise<void> {
    const { source } = this.#options;
    const networks = source.networks();
    for (const address of gatewaysInUse(networks, source.endpoints())) {
      if (this.#listeners.has(address)) continue;
      const listener = await listen(address, namePort).catch((error: unknown) => {
        if (isTaken(error)) throw new Error(`port 53 of its gateway ${address} is in use`);
        throw error;
      });
      if (listener !== undefined) this.#serve(listener);
    }
    const known = new Set(
      gatewaysInUse(
        networks,
        networks.map(({ name }) => ({ network: name })),
      ),
    );
    for (const [address, listener] of this.#listeners) {
      if (known.has(address)) continue;
      this.#listeners.delete(address);
      close(listener);
    }
  }

  async #beat(): Promise<void> {
    // Two that were started at once, each with some of the ports: the one that is found stays, and takes the others.
    const found = controlIdentity(this.#options.directory);
    this.#identity ??= found;
    if (found !== this.#identity) this.#ended.resolve();
    await this.#options.gate?.changed?.();
    const { source } = this.#options;
    const alive = source.endpoints().some(({ container }) => source.isAlive(container));
    const now = performance.now();
    if (alive) this.#lastUse = now;
    if (now - this.#lastUse > linger) this.#ended.resolve();
  }
}

const report = (error: unknown): void => {
  process.stderr.write(`${new Date().toISOString()} ${(error as Error).message}\n`);
};
