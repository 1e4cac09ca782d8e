/** Probes one run of a container, again and again, until it ends. */
import { isSampanError } from "#errdefs";
import type { Container } from "../container.ts";
import type { EngineCore } from "../core.ts";
import { containerEvent } from "../events/container-event.ts";
import { isPaused } from "../lifecycle/freeze.ts";
import { readHealth, writeHealth } from "./health-file.ts";
import { afterProbe, newHealth, nextProbe, type HealthCheck } from "./health.ts";
import { runProbe } from "./probe.ts";

const longestTimer = 2 ** 31 - 1;

export class HealthWatch implements Disposable {
  readonly #core: EngineCore;
  readonly #container: Container;
  readonly #check: HealthCheck;
  /** Milliseconds since the epoch: tells one run of the container from the next. */
  readonly startedAt: number;
  readonly #toEnd: (action: Promise<void>) => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  /** @param toEnd waits for an action, which is not to be given up half-way */
  constructor(
    core: EngineCore,
    container: Container,
    check: HealthCheck,
    startedAt: number,
    toEnd: (action: Promise<void>) => Promise<void>,
  ) {
    this.#core = core;
    this.#container = container;
    this.#check = check;
    this.startedAt = startedAt;
    this.#toEnd = toEnd;
    this.#arm();
  }

  get #directory(): string {
    return this.#core.runtime.stateDirectory(this.#container.id);
  }

  #arm(): void {
    const due = nextProbe(this.#check, readHealth(this.#directory) ?? newHealth, this.startedAt);
    this.#timer = setTimeout(() => void this.#probe(), Math.min(Math.max(0, due - Date.now()), longestTimer));
  }

  async #probe(): Promise<void> {
    const { state, record } = this.#container;
    if (this.#over || state.status !== "running" || state.startedAt !== this.startedAt) return;
    if (isPaused(this.#core, record)) {
      // Nothing in it would answer.
      this.#timer = setTimeout(() => void this.#probe(), Math.min(this.#check.interval, 1000));
      return;
    }
    try {
      const result = await runProbe(this.#core, this.#container, this.#check);
      // `#over` may have been set meanwhile; the probe of a run that is over says nothing.
      if (this.#isOver()) return;
      const before = readHealth(this.#directory) ?? newHealth;
      const health = afterProbe(this.#check, before, result, this.startedAt);
      writeHealth(this.#directory, health);
      if (health.status !== before.status) {
        containerEvent(this.#core, record, `health_status: ${health.status}`);
        if (health.status === "unhealthy") await this.#toEnd(this.#act());
      }
    } catch (error) {
      if (!isSampanError(error)) throw error;
    }
    if (!this.#isOver()) this.#arm();
  }

  #isOver(): boolean {
    const { state } = this.#container;
    return this.#over || state.status !== "running" || state.startedAt !== this.startedAt;
  }

  /** What the options want of an unhealthy container. */
  async #act(): Promise<void> {
    switch (this.#container.record.options.healthOnFailure ?? "none") {
      case "kill":
        // Not by anybody's wish: its restart policy decides what comes then.
        return await this.#container.killByPolicy();
      case "restart":
        return await this.#container.restart();
      case "stop":
        return await this.#container.stop();
      case "none":
    }
  }

  [Symbol.dispose](): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }
}
