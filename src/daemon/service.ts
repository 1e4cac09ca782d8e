/** What systemd gives a service and wants to hear of it: sockets (LISTEN_FDS, sd_listen_fds(3)) and states (sd_notify(3)). */
import { hrtime } from "node:process";
import { KeelExecutor } from "#keel";

/** Descriptors of sockets that are listening already. */
export function givenSockets(environment: NodeJS.ProcessEnv = process.env): readonly number[] {
  const count = Number(environment["LISTEN_FDS"] ?? 0);
  if (Number(environment["LISTEN_PID"]) !== process.pid || !Number.isInteger(count) || count < 1 || count > 64)
    return [];
  return Array.from({ length: count }, (_, i) => 3 + i);
}

export class ServiceManager implements AsyncDisposable {
  readonly #path: string | undefined;
  readonly #executor = new KeelExecutor();
  #watchdog: NodeJS.Timeout | undefined;

  constructor(environment: NodeJS.ProcessEnv = process.env) {
    this.#path = environment["NOTIFY_SOCKET"] || undefined;
    const microseconds = Number(environment["WATCHDOG_USEC"] ?? 0);
    const forUs = environment["WATCHDOG_PID"] === undefined || Number(environment["WATCHDOG_PID"]) === process.pid;
    if (this.#path !== undefined && microseconds > 0 && forUs) {
      this.#watchdog = setInterval(() => void this.notify("WATCHDOG=1"), microseconds / 2000);
      this.#watchdog.unref();
    }
    // Neither is a container's, nor keel's.
    for (const name of ["NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID"])
      delete environment[name];
  }

  /** Does nothing without a service manager; one that does not listen is no failure. */
  async notify(text: string): Promise<void> {
    if (this.#path === undefined) return;
    const program = [{ op: "notify-service", path: this.#path, pid: process.pid, text }] as const;
    await this.#executor.execute(program).catch(() => undefined);
  }

  async ready(): Promise<void> {
    await this.notify("READY=1\nSTATUS=Serving");
  }

  async reloading(): Promise<void> {
    await this.notify(`RELOADING=1\nMONOTONIC_USEC=${hrtime.bigint() / 1000n}`);
  }

  async stopping(): Promise<void> {
    await this.notify("STOPPING=1\nSTATUS=Ending; containers run on");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#watchdog);
    await this.#executor[Symbol.asyncDispose]();
  }
}
