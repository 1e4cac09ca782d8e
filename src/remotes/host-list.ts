import { failedPrecondition, isSampanError, SampanError } from "#errdefs";
import type { Digest } from "#spec";
import type { Capability } from "./capability.ts";
import type { Connection } from "./connection.ts";
import { toSampanError } from "./failure.ts";
import type { Timeouts } from "./http.ts";
import type { Settings } from "./options.ts";

/** How patient a request is: not very where another host can be asked instead. */
export interface Patience {
  readonly attempts: number | undefined;
  readonly timeouts: Timeouts | undefined;
}

interface Failure {
  readonly host: string;
  readonly error: SampanError;
}

interface Pause {
  readonly until: number;
  readonly failure: Failure;
}

/** A blob that this many hosts gave wrongly is remembered no longer. */
const maxRemembered = 10_000;

/** All hosts of a registry, of which the next one is asked when one fails. */
export class HostList {
  readonly #domain: string;
  readonly #connections: readonly Connection[];
  readonly #settings: Settings;
  /** Mirrors that could not be reached a moment ago. */
  readonly #pauses = new Map<Connection, Pause>();
  /** Which host gave a blob last, and which ones gave it wrongly. */
  readonly #gave = new Map<Digest, Connection>();
  readonly #distrusted = new Map<Digest, Set<Connection>>();

  constructor(domain: string, connections: readonly Connection[], settings: Settings) {
    this.#domain = domain;
    this.#connections = connections;
    this.#settings = settings;
  }

  /** The host that takes what is pushed: the first that may. */
  writer(action: string): Connection {
    const [first] = this.#able("push");
    return first ?? this.#nobody(action, "push");
  }

  /** The registry itself, where somebody logs in. */
  own(action: string): Connection {
    return this.#connections.at(-1) ?? this.#nobody(action, "login");
  }

  #able(capability: Capability): readonly Connection[] {
    return this.#connections.filter(({ registry }) => registry.capabilities.has(capability));
  }

  #nobody(action: string, capability: string): never {
    throw failedPrecondition(
      `${action}: no host that is configured for ${this.#domain} has the capability ${capability}`,
      {
        remedy: "Check the capabilities in its hosts.toml",
      },
    );
  }

  /** The hosts to ask, each with what is tried of it; those that could not be reached a moment ago are left out. */
  #candidates(
    capability: Capability,
    action: string,
    digest: Digest | undefined,
  ): { readonly hosts: readonly (readonly [Connection, Patience])[]; readonly paused: readonly Failure[] } {
    const able = this.#able(capability);
    if (able.length === 0) this.#nobody(action, capability);
    const now = Date.now();
    const wrong = digest === undefined ? undefined : this.#distrusted.get(digest);
    const trusted = able.filter((connection) => wrong?.has(connection) !== true);
    const isPaused = (connection: Connection): boolean => (this.#pauses.get(connection)?.until ?? 0) > now;
    const awake = trusted.filter((connection) => !isPaused(connection));
    const hosts = awake.length > 0 ? awake : trusted.length > 0 ? trusted : able;
    const { mirrorConnectTimeout: connect, mirrorStallTimeout: stall } = this.#settings;
    return {
      hosts: hosts.map((connection, index) => [
        connection,
        index + 1 < hosts.length
          ? { attempts: 1, timeouts: { connect, stall } }
          : { attempts: undefined, timeouts: undefined },
      ]),
      paused: able.flatMap((connection) => {
        const pause = this.#pauses.get(connection);
        return pause === undefined || hosts.includes(connection) || !isPaused(connection) ? [] : [pause.failure];
      }),
    };
  }

  /**
   * Asks one host after the other until one gives what is wanted.
   *
   * @param action start of the message when none does
   * @throws SampanError of the only host, or one that names every host and its failure, with the last one's code
   */
  async first<T>(
    capability: Capability,
    action: string,
    ask: (connection: Connection, patience: Patience) => Promise<T>,
  ): Promise<T> {
    const { hosts, paused } = this.#candidates(capability, action, undefined);
    const failures = [...paused];
    for (const [connection, patience] of hosts) {
      try {
        return await ask(connection, patience);
      } catch (error) {
        failures.push(this.#note(toSampanError(error, action), connection));
      }
    }
    throw combine(action, this.#domain, failures);
  }

  /**
   * Streams from one host after the other: the next one goes on where the last one broke off.
   *
   * @param read streams from an offset on
   */
  async *stream(
    digest: Digest,
    action: string,
    offset: number,
    read: (connection: Connection, patience: Patience, offset: number) => AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array, void, void> {
    const { hosts, paused } = this.#candidates("pull", action, digest);
    const failures = [...paused];
    let position = offset;
    for (const [connection, patience] of hosts) {
      try {
        if (hosts.length > 1) this.#remember(digest, connection);
        for await (const chunk of read(connection, patience, position)) {
          position += chunk.length;
          yield chunk;
        }
        return;
      } catch (error) {
        failures.push(this.#note(toSampanError(error, action), connection));
      }
    }
    throw combine(action, this.#domain, failures);
  }

  #remember(digest: Digest, connection: Connection): void {
    if (this.#gave.size >= maxRemembered) this.#gave.clear();
    this.#gave.set(digest, connection);
  }

  /**
   * Says that a blob's bytes were wrong: the host that gave it is not asked for it again.
   *
   * @returns whether another one can be
   */
  distrust(digest: Digest): boolean {
    const connection = this.#gave.get(digest);
    if (connection === undefined) return false;
    this.#gave.delete(digest);
    if (this.#distrusted.size >= maxRemembered) this.#distrusted.clear();
    const wrong = this.#distrusted.get(digest) ?? new Set();
    this.#distrusted.set(digest, wrong.add(connection));
    return this.#able("pull").some((other) => !wrong.has(other));
  }

  /** @throws what is no host's fault */
  #note(error: unknown, connection: Connection): Failure {
    if (!isSampanError(error) || error.code === "cancelled") throw error;
    const failure = { host: connection.host, error };
    // The last one has nobody behind it, and is asked again in any case.
    if (error.code === "unavailable" && connection !== this.#connections.at(-1)) {
      this.#pauses.set(connection, { until: Date.now() + this.#settings.mirrorPause, failure });
    }
    return failure;
  }
}

/** One error for the failures of all hosts. */
function combine(action: string, domain: string, failures: readonly Failure[]): SampanError {
  const last = failures.at(-1) as Failure;
  if (failures.length === 1) return last.error;
  const reasons = failures.map(({ host, error }) => {
    const { message } = error;
    const reason = message.startsWith(`${action}: `) ? message.slice(action.length + 2) : message;
    return reason.includes(host) ? reason : `${host}: ${reason}`;
  });
  const { code, fields } = last.error;
  return new SampanError(code, `${action}: ${failures.length} hosts of ${domain} were asked: ${reasons.join("; ")}`, {
    ...fields,
    cause: new AggregateError(failures.map(({ error }) => error)),
  });
}
