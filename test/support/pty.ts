/** A command of a test host on a pseudo-terminal, driven from the test process. */
import { setTimeout as sleep } from "node:timers/promises";
import type { HostProcess } from "./process.ts";
import type { TestHost } from "./testhost.ts";

/**
 * Runs a command with a terminal of 24 lines and 80 columns. Takes lines of JSON on stdin: text to type, or `[rows, columns]`
 * for a new size. What the terminal shows goes to stdout, and the exit code is the command's.
 */
const driver = `
import fcntl, json, os, pty, select, struct, sys, termios
def resize(rows, columns): fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
resize(24, 80)
pending, inputs = b"", [fd, 0]
while True:
    ready = select.select(inputs, [], [])[0]
    if fd in ready:
        try: data = os.read(fd, 65536)
        except OSError: data = b""
        if not data: break
        os.write(1, data)
    if 0 in ready:
        data = os.read(0, 65536)
        if not data: inputs.remove(0)
        *lines, pending = (pending + data).split(b"\\n")
        for line in lines:
            message = json.loads(line)
            if isinstance(message, str): os.write(fd, message.encode())
            else: resize(*message)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) % 256)
`;

export class Terminal {
  /** All that it has shown so far. */
  shown = "";
  /** The command's exit code. */
  readonly exited: Promise<number>;
  readonly #process: HostProcess;

  constructor(host: TestHost, argv: readonly string[]) {
    this.#process = host.spawn(["python3", "-c", driver, ...argv]);
    this.#process.stdout.on("data", (data: Buffer) => (this.shown += data.toString()));
    this.#process.stderr.on("data", (data: Buffer) => (this.shown += data.toString()));
    this.exited = this.#process.exited;
  }

  type(text: string): void {
    this.#process.stdin.write(`${JSON.stringify(text)}\n`);
  }

  resize(rows: number, columns: number): void {
    this.#process.stdin.write(`${JSON.stringify([rows, columns])}\n`);
  }

  /** Waits until it has shown this, from `from` on; throws with all it has shown after ten seconds. */
  async until(pattern: RegExp, from = 0): Promise<void> {
    for (let attempt = 0; attempt < 500; attempt++) {
      if (pattern.test(this.shown.slice(from))) return;
      await sleep(20);
    }
    throw new Error(`Cannot see ${pattern}: the terminal shows ${JSON.stringify(this.shown)}`);
  }
}
