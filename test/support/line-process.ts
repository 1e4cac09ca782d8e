/** A script of python3 that prints lines of JSON, the first when it is ready. It is killed at the end of the scope. */
import { spawn, type ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { checkout } from "./checkout.ts";

export class LineProcess implements Disposable {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(script: string, args: readonly string[]) {
    this.#child = spawn("python3", [join(checkout, "test/support", script), ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#lines = createInterface({ input: this.#child.stdout as Readable })[Symbol.asyncIterator]();
  }

  static async start(script: string, ...args: readonly string[]): Promise<LineProcess> {
    const started = new LineProcess(script, args);
    await started.next();
    return started;
  }

  /** The next line; undefined at the end. */
  async next(): Promise<unknown> {
    const line = await this.#lines.next();
    return line.done === true ? undefined : JSON.parse(line.value);
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }
}
