/** The CRI of a daemon, at a socket of its own. Its engine and its streaming server are opened by the first call. */
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import type { CallHooks } from "#api-calls";
import { criInterceptor, criRoutes, openCri, type CriContext } from "#api-cri";
import type { Engine } from "#engine";
import { invalidArgument } from "#errdefs";
import { Requests, type RequestOptions, type Served } from "./requests.ts";
import type { SettingValues } from "./settings.ts";
import { parseAddress } from "./sockets.ts";

export interface CriServerOptions {
  readonly settings: SettingValues;
  readonly requests: Omit<RequestOptions, "serve" | "namespaced">;
  readonly hooks: CallHooks;
  /** Opens the engine of the CRI's namespace. */
  readonly engine: () => Promise<Engine>;
  readonly version: string;
  readonly startedAt: number;
}

export class CriServer implements AsyncDisposable {
  readonly #options: CriServerOptions;
  readonly #requests: Requests;
  #context: Promise<CriContext> | undefined;

  constructor(options: CriServerOptions) {
    this.#options = options;
    this.#requests = new Requests({ ...options.requests, serve: () => this.#serve(), namespaced: false });
  }

  accept(socket: Socket): void {
    this.#requests.accept(socket);
  }

  async #serve(): Promise<Served> {
    this.#context ??= this.#open();
    try {
      const context = await this.#context;
      return { routes: criRoutes(context), interceptors: [criInterceptor(this.#options.hooks)] };
    } catch (error) {
      this.#context = undefined;
      throw error;
    }
  }

  async #open(): Promise<CriContext> {
    const { engine, settings, version, startedAt } = this.#options;
    return await openCri({
      engine: await engine(),
      version,
      startedAt,
      network: settings["cri.network"] as CriContext["network"],
      cgroupDriver: settings["cri.cgroup-driver"] === "systemd" ? "systemd" : "cgroupfs",
      streaming: streamingOptions(settings),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const context = await this.#context?.catch(() => undefined);
    await context?.streaming[Symbol.asyncDispose]();
  }
}

function streamingOptions(settings: SettingValues) {
  const certificate = settings["cri.streaming-certificate"];
  const key = settings["cri.streaming-key"];
  const ca = settings["cri.streaming-client-ca"];
  if ((certificate === "") !== (key === ""))
    throw invalidArgument("Cannot serve streams by TLS: cri.streaming-certificate and cri.streaming-key go together");
  if (ca !== "" && certificate === "")
    throw invalidArgument("Cannot ask clients of streams for certificates: cri.streaming-certificate is not set");
  const read = (file: string): string => readFileSync(file, "utf8");
  const advertise = settings["cri.streaming-advertise"];
  return {
    ...parseAddress(settings["cri.streaming-address"]),
    ...(advertise !== "" && { advertise }),
    ...(certificate !== "" && {
      tls: { cert: read(certificate), key: read(key), ...(ca !== "" && { ca: read(ca) }) },
    }),
  };
}
