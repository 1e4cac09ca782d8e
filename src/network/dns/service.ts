/** The engine's side of names: sees that the process that answers them runs, and listens for a network. */
import { setTimeout as sleep } from "node:timers/promises";
import { failedPrecondition, unavailable } from "#errdefs";
import { defaultNetwork } from "../bridge/names.ts";
import type { NameService } from "../names.ts";
import type { NetworkRecord } from "../records.ts";
import type { NetworkStore } from "../store.ts";
import { askControl, bindControl, spawnServer, type ControlRequest } from "./control.ts";
import { gatewaysInUse } from "./gateways.ts";
import { close, isTaken, listen, type Listener } from "./sockets.ts";

export interface NameProcessOptions {
  /** Of its control socket and its log. */
  readonly directory: string;
  readonly store: NetworkStore;
  /** What starts it: its own kind of command, see `spawnServer`. */
  readonly command: readonly string[];
  /** Of the program: a process of another one is replaced. */
  readonly version: string;
  /**
   * Also for the network that containers are on without being put there: they know no names of each other, so that a process
   * is worth its memory only where they could not ask the host's name servers themselves.
   */
  readonly servesDefault: boolean;
}

export const namePort = 53;
/** One that is ending still has its sockets, one that is starting has not bound them all. */
const attempts = 40;
const portRemedy = "Let the host's name server listen on its own addresses only, and not on all";

/** Milliseconds between them. */
const pause = 25;

export class NameProcess implements NameService {
  readonly #options: NameProcessOptions;

  constructor(options: NameProcessOptions) {
    this.#options = options;
  }

  /** What starts the process. */
  get command(): readonly string[] {
    return this.#options.command;
  }

  serves(network: NetworkRecord): boolean {
    return network.driver === "bridge" && (network.name !== defaultNetwork || this.#options.servesDefault);
  }

  /**
   * @throws SampanError `failed-precondition` when another program has the port, `unavailable` when the process can't be
   *   started
   */
  async ensure(network: NetworkRecord): Promise<void> {
    const { directory, command, version } = this.#options;
    const request: ControlRequest = { version, command };
    for (let attempt = 1; ; attempt += 1) {
      const reply = await askControl(directory, request);
      if (reply?.error !== undefined)
        throw failedPrecondition(
          `Cannot answer names on network "${network.name}": ${reply.error}`,
          reply.error.startsWith("port ") ? { remedy: portRemedy } : {},
        );
      if (reply !== undefined || (await this.#start())) return;
      if (attempt === attempts) break;
      await sleep(pause);
    }
    throw unavailable(`Cannot answer names on network "${network.name}": port 53 of its gateway is in use`, {
      remedy: portRemedy,
    });
  }

  /** False when somebody else has bound a port, or the process could not be given the sockets: it answers soon then. */
  async #start(): Promise<boolean> {
    const { directory, command, store } = this.#options;
    const listeners: Listener[] = [];
    let control;
    try {
      for (const address of gatewaysInUse(store.networks(), store.endpoints())) {
        const listener = await listen(address, namePort);
        if (listener !== undefined) listeners.push(listener);
      }
      control = await bindControl(directory);
      return spawnServer(directory, command, control, listeners);
    } catch (error) {
      if (isTaken(error)) return false;
      throw error;
    } finally {
      control?.close();
      for (const listener of listeners) close(listener);
    }
  }
}
