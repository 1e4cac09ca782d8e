/** Containers whose monitor does not stay, created below a subreaper of python3. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { Readable } from "node:stream";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { buffer } from "node:stream/consumers";
import { serialize } from "node:v8";
import type { CreateOptions } from "#keel";
import type { Operation } from "#plan";
import { checkout } from "./checkout.ts";

type Event =
  | { readonly event: "command"; readonly code: number; readonly children: readonly number[] }
  | { readonly event: "ended"; readonly pid: number; readonly code: number };

export interface OrphanOptions extends Partial<CreateOptions> {
  readonly program: readonly Operation[];
  /** Descriptors of this process that the command has as 4, 5, … and gives to the container. */
  readonly descriptors?: readonly number[];
}

/** A create below the subreaper. */
export class Orphan {
  readonly #child: ChildProcess;
  readonly #events: Event[] = [];
  readonly #ended: Promise<void>;
  readonly stdout: Promise<Buffer>;
  readonly stderr: Promise<Buffer>;
  /** The answer of keel: `created`, or the error. Resolves when the command has ended, with the children left then. */
  readonly created: Promise<{ readonly answer: Record<string, unknown>; readonly children: readonly number[] }>;

  constructor(binary: string, directory: string, { program, descriptors = [], ...options }: OrphanOptions) {
    const create: CreateOptions = {
      stateDirectory: directory,
      log: "",
      terminal: false,
      openStdin: false,
      stdinOnce: false,
      inheritStdio: false,
      oomFile: "",
      program,
      exitProgram: [],
      exitCommand: [],
      orphan: true,
      preserve: descriptors.length,
      ...options,
    };
    const keel = { path: binary, inheritStdio: true, preserve: descriptors.map((_, i) => i + 4) };
    const argument = serialize({ keel, create }).toString("base64");
    const main = join(checkout, "test/support/orphan-main.ts");
    this.#child = spawn(
      "python3",
      [join(checkout, "test/support/subreaper.py"), process.execPath, "--no-warnings", main, argument],
      { stdio: ["pipe", "pipe", "pipe", "pipe", ...descriptors] },
    );
    this.stdout = buffer(this.#child.stdout as Readable);
    const { promise: answered, resolve: answer } = Promise.withResolvers<Record<string, unknown>>();
    const errors: Buffer[] = [];
    const stderr = this.#child.stderr as Readable;
    stderr.on("data", (chunk: Buffer) => {
      errors.push(chunk);
      const line = /^\{.*\}$/m.exec(Buffer.concat(errors).toString())?.[0];
      if (line !== undefined) answer(JSON.parse(line) as Record<string, unknown>);
    });
    this.stderr = new Promise((resolve) => stderr.once("end", () => resolve(Buffer.concat(errors))));
    const { promise: commanded, resolve: command } = Promise.withResolvers<readonly number[]>();
    const lines = createInterface({ input: this.#child.stdio[3] as Readable });
    lines.on("line", (line) => {
      const event = JSON.parse(line) as Event;
      this.#events.push(event);
      if (event.event === "command") command(event.children);
    });
    this.#ended = new Promise((resolve) => lines.once("close", () => resolve()));
    this.created = Promise.all([Promise.race([answered, this.#failed()]), commanded]).then(([given, children]) => ({
      answer: given,
      children,
    }));
    this.created.catch(() => undefined);
  }

  async #failed(): Promise<never> {
    await this.#ended;
    throw new Error(`The command has not answered: ${(await this.stderr).toString().slice(0, 2000)}`);
  }

  /** The container's pid. Throws when it was not created. */
  async pid(): Promise<number> {
    const { answer } = await this.created;
    if (typeof answer["pid"] !== "number") throw new Error(`Not created: ${JSON.stringify(answer)}`);
    return answer["pid"];
  }

  /** What the subreaper has reaped, when no child of it is left. */
  async reaped(): Promise<readonly Event[]> {
    await this.#ended;
    return this.#events.filter((e) => e.event === "ended");
  }

  get stdin(): NodeJS.WritableStream {
    return this.#child.stdin as NodeJS.WritableStream;
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const { answer } = await this.created.catch(() => ({ answer: {} as Record<string, unknown> }));
    if (this.#child.exitCode === null && typeof answer["pid"] === "number") {
      try {
        const parent = /^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${answer["pid"]}/status`, "utf8"))?.[1];
        if (Number(parent) === this.#child.pid) process.kill(answer["pid"], "SIGKILL");
      } catch {
        // It has ended.
      }
    }
    await this.#ended;
  }
}

/** A directory with state directories, gone at the end of the scope with all that was created. */
export class OrphanHost implements AsyncDisposable {
  readonly directory = mkdtempSync("/var/tmp/sampan-orphan-");
  readonly #binary: string;
  readonly #orphans: Orphan[] = [];

  constructor(binary: string) {
    this.#binary = binary;
  }

  /** Fresh directory. */
  state(name = String(this.#orphans.length)): string {
    const path = join(this.directory, name);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return path;
  }

  create(options: OrphanOptions, directory: string = this.state()): Orphan {
    const orphan = new Orphan(this.#binary, directory, options);
    this.#orphans.push(orphan);
    return orphan;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const orphan of this.#orphans) await orphan.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
