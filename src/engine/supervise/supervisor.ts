/**
 * Looks after the containers of one root: starts them again by their policies, and checks their health. All that it knows is
 * in the database and in the state directories, so that it may be killed at any time: the next one goes on where it was.
 *
 *   journal: start, die, update, destroy ──▶ consider(container) ◀── timers: a restart that is due
 *                                                  │
 *                         runs: health watch       │      has ended: restart is scheduled (book), or not wanted any more
 */
import { cancelled, isSampanError, unavailable } from "#errdefs";
import { lostStatus, type RuntimeState } from "#runtime";
import { Container } from "../container.ts";
import type { EngineCore } from "../core.ts";
import { noteLost } from "../lifecycle/note-lost.ts";
import { readEvents } from "../events/read-journal.ts";
import type { ContainerRecord } from "../records.ts";
import { HealthWatch } from "./health-watch.ts";
import { parseRestart, restartDelay } from "./restart-policy.ts";

export interface SuperviseOptions {
  /** Ends it. Containers run on. */
  readonly signal?: AbortSignal;
  /** The host has just come up: containers with the policy `always` are started even if somebody had stopped them. */
  readonly boot?: boolean;
  /** End when no container needs to be looked after. */
  readonly endWhenIdle?: boolean;
  /** Take the place of another process that supervises this root (a background one ends for a daemon), or give up. */
  readonly takeOver?: boolean;
  /** Told of what goes wrong with single containers. */
  readonly onError?: (error: unknown, container: string) => void;
}

/** Actions after which a container is looked at. */
const telling = new Set(["start", "die", "update", "destroy", "stop", "kill"]);
const retryDelay = 100;
/** Milliseconds between two rounds of looking at all. */
const roundTime = 3000;
const takeOverTime = 10_000;

export class Supervisor {
  readonly #core: EngineCore;
  readonly #options: SuperviseOptions;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #watches = new Map<string, HealthWatch>();
  readonly #busy = new Map<string, "once" | "again">();
  /** What has been begun, and is ended before the supervisor is. */
  readonly #pending = new Set<Promise<unknown>>();
  readonly #end = new AbortController();

  constructor(core: EngineCore, options: SuperviseOptions) {
    this.#core = core;
    this.#options = options;
  }

  /**
   * Resolves at the signal, or when it is idle and may end then; at once when another process does the same and is not to be
   * replaced.
   */
  async run(): Promise<void> {
    const { signal, endWhenIdle } = this.#options;
    if (!(await this.#claim())) return;
    const stop = (): void => this.#end.abort();
    signal?.addEventListener("abort", stop);
    if (signal?.aborted === true) stop();
    let round: NodeJS.Timeout | undefined;
    try {
      // It listens before it looks.
      const events = readEvents(this.#core.journal, (e) => e.type === "container" && telling.has(e.action), {
        signal: this.#end.signal,
      });
      for (const record of this.#core.records.list()) this.#look(record.id, this.#options.boot === true);
      if (endWhenIdle === true) this.#endWhenIdle();
      round = setInterval(() => this.#lookAround(), roundTime);
      for await (const event of events) {
        this.#look(event.id, false);
        if (endWhenIdle === true) this.#endWhenIdle();
      }
    } finally {
      signal?.removeEventListener("abort", stop);
      clearInterval(round);
      for (const timer of this.#timers.values()) clearTimeout(timer);
      for (const watch of this.#watches.values()) watch[Symbol.dispose]();
      await Promise.allSettled(this.#pending);
      this.#core.supervision.release(false);
    }
  }

  /** A monitor that was killed tells of nothing: containers that are to run are looked at now and then. */
  #lookAround(): void {
    for (const { container, due } of this.#core.supervision.wanted())
      if (due === undefined) this.#look(container, false);
  }

  async #claim(): Promise<boolean> {
    const { supervision } = this.#core;
    const deadline = Date.now() + takeOverTime;
    let asked = 0;
    for (;;) {
      const other = supervision.claim();
      if (other === undefined) return true;
      if (this.#options.takeOver !== true) return false;
      this.#options.signal?.throwIfAborted();
      if (Date.now() > deadline)
        throw unavailable(`Cannot supervise containers: process ${other} does so and does not end`);
      if (asked !== other) process.kill(other, "SIGTERM");
      asked = other;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Ends when nothing is to run: decided in one transaction with giving up the place. */
  #endWhenIdle(): void {
    if (this.#pending.size === 0 && this.#core.supervision.release(true)) this.#end.abort(cancelled("Idle"));
  }

  /** One look at a container at a time; one more after it when something has happened meanwhile. */
  #look(id: string, boot: boolean): void {
    if (this.#busy.has(id)) {
      this.#busy.set(id, "again");
      return;
    }
    this.#busy.set(id, "once");
    const look = this.#consider(id, boot)
      .catch((error: unknown) => {
        this.#options.onError?.(error, id);
        // A full disk or a busy database: it is looked at again.
        this.#later(id, Date.now() + 1000);
      })
      .finally(() => {
        const again = this.#busy.get(id) === "again";
        this.#busy.delete(id);
        this.#pending.delete(look);
        if (this.#end.signal.aborted) return;
        if (again) this.#look(id, false);
        else if (this.#options.endWhenIdle === true) this.#endWhenIdle();
      });
    this.#pending.add(look);
  }

  /** Takes care that what a health watch does is brought to its end. */
  readonly #act = async (action: Promise<void>): Promise<void> => {
    this.#pending.add(action);
    try {
      await action;
    } finally {
      this.#pending.delete(action);
      if (this.#options.endWhenIdle === true && !this.#end.signal.aborted) this.#endWhenIdle();
    }
  };

  async #consider(id: string, boot: boolean): Promise<void> {
    const record = this.#record(id);
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    if (record === undefined) {
      this.#watches.get(id)?.[Symbol.dispose]();
      this.#watches.delete(id);
      this.#core.supervision.forget(id);
      return;
    }
    const state = this.#core.runtime.state(id);
    if (state.status === "running") {
      this.#core.supervision.restarted(id);
      this.#watch(record, state.startedAt);
      return;
    }
    this.#watches.get(id)?.[Symbol.dispose]();
    this.#watches.delete(id);
    noteLost(this.#core, record);
    const known = this.#core.supervision.get(id);
    if (boot && known?.wanted === false && parseRestart(record.options.restart).name === "always")
      this.#core.supervision.begin(id);
    else if (known === undefined || !known.wanted) return;
    // Somebody is starting or removing it.
    if (state.status === "created" || this.#core.records.isBusy(id)) return this.#later(id, Date.now() + retryDelay);
    await this.#ended(record, state);
  }

  #record(id: string): ContainerRecord | undefined {
    try {
      return this.#core.records.find(id);
    } catch (error) {
      if (isSampanError(error, "not-found")) return undefined;
      throw error;
    }
  }

  async #ended(record: ContainerRecord, state: RuntimeState): Promise<void> {
    const { supervision } = this.#core;
    const known = supervision.get(record.id);
    if (known === undefined || !known.wanted) return;
    if (known.due === undefined) {
      const exit = state.status === "stopped" ? state.exit : lostStatus;
      const startedAt = "startedAt" in state ? state.startedAt : undefined;
      const ranFor = startedAt === undefined || exit.at === 0 ? 0 : exit.at - startedAt;
      const delay = restartDelay(parseRestart(record.options.restart), {
        status: exit.status,
        ranFor,
        restarts: known.restarts,
        delay: known.delay,
      });
      if (delay === undefined) {
        supervision.end(record.id);
        return;
      }
      const due = Date.now() + delay;
      supervision.schedule(record.id, delay, due);
      return this.#later(record.id, due);
    }
    // A clock that was set back does not make it wait for longer than it was to.
    if (known.due > Date.now()) return this.#later(record.id, Math.min(known.due, Date.now() + known.delay));
    await this.#restart(record, known.restarts, known.delay);
  }

  async #restart(record: ContainerRecord, restarts: number, delay: number): Promise<void> {
    try {
      await new Container(this.#core, record).startAgain();
    } catch (error) {
      if (isSampanError(error, "failed-precondition") && this.#core.records.isBusy(record.id))
        return this.#later(record.id, Date.now() + retryDelay);
      this.#options.onError?.(error, record.id);
      if (!this.#core.records.has(record.id)) return;
      // One that can't be started has failed once more.
      const policy = parseRestart(record.options.restart);
      const next = restartDelay(policy, { status: 255, ranFor: 0, restarts: restarts + 1, delay });
      this.#core.supervision.restarted(record.id);
      if (next === undefined) this.#core.supervision.end(record.id);
      else {
        this.#core.supervision.schedule(record.id, next, Date.now() + next);
        this.#later(record.id, Date.now() + next);
      }
    }
  }

  #later(id: string, at: number): void {
    if (this.#end.signal.aborted) return;
    clearTimeout(this.#timers.get(id));
    this.#timers.set(
      id,
      setTimeout(
        () => {
          this.#timers.delete(id);
          this.#look(id, false);
        },
        Math.max(1, at - Date.now()),
      ),
    );
  }

  /** Watches the health of this run. */
  #watch(record: ContainerRecord, startedAt: number): void {
    const check = record.resolved.health;
    const old = this.#watches.get(record.id);
    if (check === undefined || old?.startedAt === startedAt) return;
    old?.[Symbol.dispose]();
    this.#watches.set(
      record.id,
      new HealthWatch(this.#core, new Container(this.#core, record), check, startedAt, this.#act),
    );
  }
}
