/** `sampan daemon` in a test host. */
import { join } from "node:path";
import { request } from "node:http";
import { writeFile } from "node:fs/promises";
import type { HostProcess } from "./process.ts";
import { eventually } from "./stocked-host.ts";
import type { TestHost } from "./testhost.ts";

export interface TestDaemonOptions {
  /** Text of its configuration file. */
  readonly config?: string;
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Path of its socket in the host's /run, which other users can reach; in the state directory without it. */
  readonly socket?: string;
}

export class TestDaemon implements AsyncDisposable {
  readonly host: TestHost;
  readonly process: HostProcess;
  /** Path of its socket as the test process sees it. */
  readonly socket: string;
  #output = "";

  private constructor(host: TestHost, process: HostProcess, socket: string | undefined) {
    this.host = host;
    this.process = process;
    this.socket = socket === undefined ? join(host.state, "sampan.sock") : join(host.directory, socket);
    process.stderr.on("data", (data: Buffer) => (this.#output += data.toString()));
  }

  /** Resolves when it serves. */
  static async start(host: TestHost, options: TestDaemonOptions = {}): Promise<TestDaemon> {
    const flags = [...(options.flags ?? [])];
    if (options.config !== undefined) {
      const file = join(host.files, "config.toml");
      await writeFile(file, options.config);
      flags.unshift("--config", file);
    }
    if (options.socket !== undefined) flags.push("--socket", options.socket);
    const daemon = new TestDaemon(
      host,
      host.spawnSampan(["daemon", ...flags], options.env === undefined ? {} : { env: options.env }),
      options.socket,
    );
    let ended: number | undefined;
    void daemon.process.exited.then((code) => (ended = code));
    await eventually("the daemon serve", () => {
      if (ended !== undefined) throw new Error(`Cannot start the daemon: it ended with ${ended}\n${daemon.log}`);
      return daemon.log.includes('"serving"');
    });
    return daemon;
  }

  /** What it has logged. */
  get log(): string {
    return this.#output;
  }

  /** Entries of its log. */
  get entries(): readonly Readonly<Record<string, unknown>>[] {
    return this.#output
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  }

  /** One request of HTTP/1.1. A body makes it a POST of JSON. */
  async http(path: string, body?: object): Promise<{ readonly status: number; readonly text: string }> {
    const outgoing = request({
      socketPath: this.socket,
      path,
      method: body === undefined ? "GET" : "POST",
      headers: body === undefined ? {} : { "content-type": "application/json" },
    });
    return await new Promise((resolve, reject) => {
      outgoing.on("error", reject);
      outgoing.on("response", (response) => {
        let text = "";
        response.on("data", (data: Buffer) => (text += data.toString()));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      });
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** @returns its exit code */
  async signal(signal: NodeJS.Signals): Promise<number> {
    process.kill(await this.process.outerPid(), signal);
    return this.process.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.signal("SIGTERM").catch(() => undefined);
  }
}
