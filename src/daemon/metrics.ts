/** What Prometheus reads. Nothing is sampled between two reads, so that an idle daemon is idle. */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Engine } from "#engine";
import { fromSystemError } from "#errdefs";

export class Metrics {
  readonly #registry = new Registry();
  readonly #calls: Counter<"method" | "code">;
  readonly #seconds: Histogram<"method">;
  readonly #active: Gauge;

  constructor(engine: Engine, version: string, connections: () => number) {
    const registers = [this.#registry];
    this.#calls = new Counter({
      name: "sampan_calls_total",
      help: "Calls that have ended, by method and error code",
      labelNames: ["method", "code"],
      registers,
    });
    this.#seconds = new Histogram({
      name: "sampan_call_seconds",
      help: "Duration of calls",
      labelNames: ["method"],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30],
      registers,
    });
    this.#active = new Gauge({ name: "sampan_calls_active", help: "Calls in progress", registers });
    new Gauge({
      name: "sampan_build_info",
      help: "Version of Sampan and of Node",
      labelNames: ["version", "node"],
      registers,
    }).set({ version, node: process.version.slice(1) }, 1);
    void new Gauge({
      name: "sampan_connections",
      help: "Open connections",
      registers,
      collect() {
        this.set(connections());
      },
    });
    void new Gauge({
      name: "sampan_containers",
      help: "Containers by status",
      labelNames: ["status"],
      registers,
      collect() {
        this.reset();
        for (const status of ["created", "running", "exited"]) this.set({ status }, 0);
        for (const { status } of engine.list()) this.inc({ status });
      },
    });
    void new Gauge({
      name: "sampan_images",
      help: "Names of images",
      registers,
      collect() {
        this.set(engine.images().length);
      },
    });
    void new Gauge({
      name: "process_resident_memory_bytes",
      help: "Memory of the daemon",
      registers,
      collect() {
        this.set(process.memoryUsage.rss());
      },
    });
    void new Counter({
      name: "process_cpu_seconds_total",
      help: "Processor time of the daemon",
      registers,
      collect() {
        const { user, system } = process.cpuUsage();
        this.reset();
        this.inc((user + system) / 1e6);
      },
    });
    new Gauge({ name: "process_start_time_seconds", help: "When the daemon started, since the epoch", registers }).set(
      Math.floor(Date.now() / 1000 - process.uptime()),
    );
  }

  began(): void {
    this.#active.inc();
  }

  ended(method: string, error: unknown, milliseconds: number): void {
    this.#active.dec();
    const code = error === undefined ? "ok" : (fromSystemError(error)?.code ?? "internal");
    this.#calls.inc({ method, code });
    this.#seconds.observe({ method }, milliseconds / 1000);
  }

  async text(): Promise<{ readonly type: string; readonly body: string }> {
    return { type: this.#registry.contentType, body: await this.#registry.metrics() };
  }
}
