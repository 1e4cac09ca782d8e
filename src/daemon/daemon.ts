/** The daemon: one engine, and the sockets it is served at. */
import { once } from "node:events";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { Server, Socket } from "node:net";
import { dirname, join } from "node:path";
import { inspect } from "node:util";
import type { CallHooks, CallReport } from "#api-calls";
import { nativeInterceptor, nativeRoutes, type ContainerDemand } from "#api-native";
import { Engine, enginePaths, type EngineOptions } from "#engine";
import { fromSystemError, resourceExhausted, unavailable } from "#errdefs";
import { needRestart, type DaemonConfig } from "./config.ts";
import type { Logger } from "./log.ts";
import { Metrics } from "./metrics.ts";
import { Peers } from "./peers.ts";
import { describePeer, Policy, type Peer } from "./policy.ts";
import { CriServer } from "./cri.ts";
import { Requests, type RequestOptions, type Served } from "./requests.ts";
import type { SettingValues } from "./settings.ts";
import { listenGiven, listenUnix, parseAddress, tlsOptions } from "./sockets.ts";

export interface DaemonOptions {
  readonly config: DaemonConfig;
  readonly version: string;
  readonly logger: Logger;
  /** Descriptors of sockets that systemd listens at for us; the unix socket of the configuration without any. */
  readonly given: readonly number[];
}

/** Namespaces that may be open at once: each costs a database and a keel. */
const maxNamespaces = 64;

function engineOptions(
  settings: SettingValues,
  places: { readonly root: string; readonly state: string },
): EngineOptions {
  const cgroupParent = settings["cgroup-parent"];
  const [configurations, plugins] = [settings["cni.configurations"], settings["cni.plugins"]];
  const cni = {
    timeout: settings["cni.timeout"],
    ...(configurations !== "" && { configurations }),
    ...(plugins !== "" && { plugins: plugins.split(":").filter((directory) => directory !== "") }),
  };
  return { ...places, namespace: "default", background: false, cni, ...(cgroupParent !== "" && { cgroupParent }) };
}

/** Whether no daemon has run since the host came up: what it leaves a mark in does not survive that. */
function isFirstOfBoot(state: string): boolean {
  const mark = join(state, "booted");
  if (existsSync(mark)) return false;
  writeFileSync(mark, "");
  return true;
}

/** Calls that wait for something that may never come. The others are let end when the daemon does. */
const waitingCalls = /\/(Wait|Logs|Attach|Exec|ExecOutput|Watch|Stats|GetContainerEvents)$/;

export class Daemon implements AsyncDisposable {
  /** By namespace; the default one's is empty. */
  readonly #engines = new Map<string, Promise<Engine>>();
  readonly #places: { readonly root: string; readonly state: string };
  readonly #version: string;
  readonly #startedAt = Date.now();
  readonly #supervising: Promise<void>[] = [];
  readonly #peers = new Peers();
  readonly #metrics: Metrics;
  readonly #requests: Requests;
  readonly #cri: CriServer;
  readonly #logger: Logger;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #shutdown = new AbortController();
  readonly #supervision = new AbortController();
  readonly #discovery: string;
  /** Calls in progress that will end by themselves. */
  #working = 0;
  #idle: (() => void) | undefined;
  #config: DaemonConfig;
  #policy: Policy;
  #ready = false;

  private constructor(engine: Engine, root: string, state: string, { config, version, logger }: DaemonOptions) {
    this.#engines.set("", Promise.resolve(engine));
    this.#places = { root, state };
    this.#version = version;
    this.#logger = logger;
    this.#config = config;
    this.#policy = new Policy(config.allow);
    this.#discovery = join(state, "daemon.json");
    this.#metrics = new Metrics(engine, version, () => this.#sockets.size);
    const common: Omit<RequestOptions, "serve" | "namespaced"> = {
      shutdown: this.#shutdown.signal,
      messageLimit: config.settings["limits.message"],
      streamLimit: config.settings["limits.streams"],
      caller: (socket) => this.#peers.of(socket),
      isReady: () => this.#ready,
      metrics: () => this.#metrics.text(),
    };
    this.#requests = new Requests({ ...common, serve: (namespace) => this.#serve(namespace), namespaced: true });
    this.#cri = new CriServer({
      settings: config.settings,
      requests: common,
      hooks: this.#hooks(config.settings["cri.namespace"]),
      engine: () => this.#engine(config.settings["cri.namespace"]),
      version,
      startedAt: this.#startedAt,
    });
  }

  /**
   * Opens the engine, which finishes what a daemon that was killed had begun, and serves it.
   *
   * @throws SampanError `failed-precondition` when another daemon serves the socket; what `Engine.open` throws
   */
  static async start(options: DaemonOptions): Promise<Daemon> {
    const { settings } = options.config;
    const paths = enginePaths(settings.root || undefined, settings.state || undefined);
    const state = dirname(paths.state);
    const engine = await Engine.open({
      ...engineOptions(settings, { root: paths.root, state }),
      runtimes: options.config.runtimes,
    });
    const daemon = new Daemon(engine, paths.root, state, options);
    try {
      mkdirSync(state, { recursive: true, mode: 0o711 });
      await daemon.#listen(paths.root, state, options.given);
      // Now that no other daemon serves here: it would be asked to end.
      daemon.#supervise(engine);
    } catch (error) {
      await daemon[Symbol.asyncDispose]();
      throw error;
    }
    return daemon;
  }

  async #listen(root: string, state: string, given: readonly number[]): Promise<void> {
    const { settings } = this.#config;
    const path = settings["socket.path"] || join(state, "sampan.sock");
    const accept = (socket: Socket): void => this.#accept(socket);
    if (given.length > 0) for (const descriptor of given) this.#add(await listenGiven(descriptor, accept));
    else this.#add(await listenUnix(path, settings["socket.group"], accept));
    const criPath = settings["cri.socket"] || join(state, "cri.sock");
    if (settings["cri.enabled"])
      this.#add(
        await listenUnix(criPath, "", (socket) => {
          if (this.#track(socket)) this.#cri.accept(socket);
        }),
      );
    if (settings["tcp.address"] !== "") {
      const tls = tlsOptions({
        address: settings["tcp.address"],
        certificate: settings["tcp.certificate"],
        key: settings["tcp.key"],
        clientCa: settings["tcp.client-ca"],
      });
      const server = this.#requests.secureServer(tls);
      server.on("connection", (socket: Socket) => this.#track(socket));
      server.listen(parseAddress(settings["tcp.address"]));
      await once(server, "listening");
      this.#add(server);
    }
    if (settings["metrics.address"] !== "") {
      const server = this.#requests.plainServer();
      server.on("connection", (socket: Socket) => this.#track(socket));
      server.listen(parseAddress(settings["metrics.address"]));
      await once(server, "listening");
      this.#add(server);
    }
    // By this file the commands of this host find the daemon of their root.
    writeFileSync(`${this.#discovery}.new`, `${JSON.stringify({ pid: process.pid, root, socket: path })}\n`);
    renameSync(`${this.#discovery}.new`, this.#discovery);
    this.#ready = true;
    this.#logger.info({ socket: path, root, tcp: settings["tcp.address"] || undefined }, "serving");
  }

  async #serve(name: string): Promise<Served> {
    const engine = await this.#engine(name);
    const context = { ...this.#places, engine, version: this.#version, startedAt: this.#startedAt };
    const hooks = this.#hooks(name || "default");
    return { routes: nativeRoutes(context), interceptors: [nativeInterceptor(hooks)] };
  }

  async #engine(name: string): Promise<Engine> {
    const namespace = name === "default" ? "" : name;
    let engine = this.#engines.get(namespace);
    if (engine === undefined) {
      if (this.#engines.size >= maxNamespaces)
        throw resourceExhausted(`Cannot open namespace "${name}": ${maxNamespaces} are open`);
      engine = Engine.open({
        ...engineOptions(this.#config.settings, this.#places),
        namespace,
        runtimes: this.#config.runtimes,
      });
      this.#engines.set(namespace, engine);
      engine.then(
        (opened) => this.#supervise(opened),
        () => this.#engines.delete(namespace),
      );
    }
    return await engine;
  }

  /** Looks after the engine's containers, in place of a process in the background. */
  #supervise(engine: Engine): void {
    const onError = (error: unknown, container: string): void =>
      this.#logger.warn({ container, error: fromSystemError(error)?.message ?? inspect(error) }, "cannot look after");
    this.#supervising.push(
      engine
        .supervise({
          signal: this.#supervision.signal,
          takeOver: true,
          boot: isFirstOfBoot(this.#places.state),
          onError,
        })
        .catch((error: unknown) => onError(error, "")),
    );
  }

  #add(server: Server): void {
    server.on("error", (error) => this.#logger.error({ error: String(error) }, "a socket failed"));
    this.#servers.push(server);
  }

  #accept(socket: Socket): void {
    if (this.#track(socket)) this.#requests.accept(socket);
  }

  #track(socket: Socket): boolean {
    if (this.#sockets.size >= this.#config.settings["limits.connections"]) {
      this.#logger.warn("too many connections: one was closed");
      socket.destroy();
      return false;
    }
    this.#sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => this.#sockets.delete(socket));
    return true;
  }

  #hooks(namespace: string): CallHooks<ContainerDemand> {
    return {
      authorize: async (caller, method, demand) => {
        if (this.#config.allow.length === 0) return;
        const peer = await (caller as Promise<Peer> | undefined);
        this.#policy.check(peer ?? {}, namespace, method, demand);
      },
      began: (method) => {
        this.#metrics.began();
        const counts = !waitingCalls.test(method);
        if (counts) this.#working += 1;
        return (report) => {
          if (counts) {
            this.#working -= 1;
            if (this.#working === 0) this.#idle?.();
          }
          this.#metrics.ended(method, report.error, report.milliseconds);
          void this.#log(report);
        };
      },
    };
  }

  async #log({ method, caller, error, milliseconds }: CallReport): Promise<void> {
    const known = error === undefined ? undefined : fromSystemError(error);
    const isInternal = error !== undefined && (known === undefined || known.code === "internal");
    const isRefusal = known?.code === "permission-denied";
    if (!isInternal && !isRefusal && !this.#logger.isLevelEnabled("debug")) return;
    const peer = describePeer((await (caller as Promise<Peer> | undefined)) ?? {});
    const fields = { method, peer, milliseconds: Math.round(milliseconds * 10) / 10 };
    if (isInternal) {
      const text = error instanceof Error ? (error.stack ?? error.message) : inspect(error);
      this.#logger.error({ ...fields, error: text.slice(0, 2000) }, "a call failed");
    } else if (isRefusal) this.#logger.warn({ ...fields, error: known.message }, "a call was refused");
    else this.#logger.debug({ ...fields, ...(known && { code: known.code, error: known.message }) }, "call");
  }

  /** Takes over what of another configuration can be without a restart. */
  reload(config: DaemonConfig): void {
    const later = needRestart(this.#config.settings, config.settings);
    this.#config = config;
    this.#policy = new Policy(config.allow);
    this.#logger.level = config.settings["log.level"];
    this.#logger.info(later.length === 0 ? {} : { later }, "configuration reloaded");
  }

  /** Takes no more calls, lets those in progress end, and closes. Containers run on. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ready) rmSync(this.#discovery, { force: true });
    this.#ready = false;
    for (const server of this.#servers) server.close();
    if (this.#working > 0) {
      const timer = Promise.withResolvers<void>();
      this.#idle = timer.resolve;
      const timeout = setTimeout(timer.resolve, this.#config.settings["limits.grace"] * 1000);
      await timer.promise;
      clearTimeout(timeout);
    }
    this.#shutdown.abort(unavailable("Cannot go on with the call: the daemon is ending", { remedy: "Try again" }));
    // What is told to the clients still goes out.
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (const socket of this.#sockets) socket.destroy();
    this.#supervision.abort();
    await Promise.all(this.#supervising);
    await this.#cri[Symbol.asyncDispose]();
    await this.#peers[Symbol.asyncDispose]();
    for (const engine of await Promise.allSettled(this.#engines.values()))
      if (engine.status === "fulfilled") await engine.value[Symbol.asyncDispose]();
  }
}
