/** A fault proxy inside a test host, driven from the test process. */
import { join } from "node:path";
import { createInterface } from "node:readline";
import { checkout, pinnedNode } from "./checkout.ts";
import type { FaultRule, SeenRequest } from "./fault-proxy.ts";
import type { HostProcess } from "./process.ts";
import type { TestHost } from "./testhost.ts";

export class HostFaultProxy implements AsyncDisposable {
  /** `127.0.0.1:<port>`, as it stands in an image reference. */
  readonly address: string;
  /** Every request, in the order in which they were answered or dropped. */
  readonly requests: SeenRequest[] = [];
  readonly #process: HostProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(port: number, child: HostProcess, lines: AsyncIterator<string>) {
    this.address = `127.0.0.1:${port}`;
    this.#process = child;
    this.#lines = lines;
  }

  /** Starts a proxy in `host` before `upstream` (`host:port` there). */
  static async start(host: TestHost, upstream: string, rules: readonly FaultRule[] = []): Promise<HostFaultProxy> {
    const main = join(checkout, "test", "support", "fault-proxy-main.ts");
    const child = host.spawn([pinnedNode, main, upstream, JSON.stringify(rules)]);
    let errors = "";
    child.stderr.on("data", (data: Buffer) => (errors += data.toString()));
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const { value } = (await lines.next()) as IteratorResult<string | undefined>;
    if (value === undefined) throw new Error(`Cannot start the fault proxy: ${errors}`);
    return new HostFaultProxy(Number(value), child, lines);
  }

  /** Replaces all rules, and reads the requests seen so far into `requests`. */
  async setRules(rules: readonly FaultRule[]): Promise<void> {
    this.#process.stdin.write(`${JSON.stringify(rules)}\n`);
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error("The fault proxy has ended");
      const message = JSON.parse(value) as "set" | SeenRequest;
      if (message === "set") return;
      this.requests.push(message);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill();
    await this.#process.exited;
  }
}
