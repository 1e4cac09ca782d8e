/** What is shown of a transfer: a line for each blob with a bar, in place on a terminal, once at the end elsewhere. */
import type { PullProgress } from "#images";
import { binaryBytes } from "./table.ts";

const barWidth = 38;
/** Milliseconds between two drawings. */
const interval = 100;

/** What blobs are, by their digest; layers where it is not said. */
export type BlobKinds = ReadonlyMap<string, "index" | "manifest" | "config">;

export class TransferLines implements Disposable {
  readonly #reference: string;
  readonly #blobs = new Map<string, PullProgress>();
  readonly #started = performance.now();
  readonly #terminal = process.stdout.isTTY;
  #timer: NodeJS.Timeout | undefined;
  #drawn = 0;

  constructor(reference: string) {
    this.#reference = reference;
  }

  readonly update = (progress: PullProgress): void => {
    this.#blobs.set(progress.digest, progress);
    if (!this.#terminal) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#draw(this.lines(new Map()));
    }, interval).unref();
  };

  /** @param word what has happened to the reference itself */
  lines(kinds: BlobKinds, word = "resolved"): readonly string[] {
    const named = [...this.#blobs.values()].map((blob): readonly [string, PullProgress] => {
      const kind = kinds.get(blob.digest) ?? "layer";
      return [`${kind}-${blob.digest}:`, blob];
    });
    const head = `${this.#reference}:`;
    const width = Math.max(head.length, ...named.map(([name]) => name.length)) + 1;
    const line = (name: string, state: string, rest: string): string =>
      `${name.padEnd(width)}${state.padEnd(15)}${rest} `;
    const seconds = (performance.now() - this.#started) / 1000;
    const total = named.reduce((sum, [, { current }]) => sum + current, 0);
    const rate = `(${binaryBytes(total / Math.max(seconds, 0.001))}/s)`;
    return [
      line(head, word, bar(1)),
      ...named.map(([name, blob]) => line(name, stateOf(blob), barOf(blob))),
      line(`elapsed: ${seconds.toFixed(1)} s`, "", `total:  ${binaryBytes(total)} ${rate}`),
    ];
  }

  /** Shows how it ended. */
  finish(kinds: BlobKinds, word?: string): void {
    clearTimeout(this.#timer);
    this.#draw(this.lines(kinds, word));
  }

  #draw(lines: readonly string[]): void {
    const up = this.#drawn > 0 ? `\u001b[${this.#drawn}A` : "";
    const clear = this.#terminal ? "\u001b[2K" : "";
    process.stdout.write(up + lines.map((line) => `${clear}${line}\n`).join(""));
    this.#drawn = this.#terminal ? lines.length : 0;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

const isFinished = ({ status }: PullProgress): boolean => !["waiting", "pulling", "pushing"].includes(status);

function stateOf(blob: PullProgress): string {
  if (isFinished(blob)) return blob.status === "exists" ? "exists" : "done";
  return blob.status === "pulling" ? "downloading" : blob.status === "pushing" ? "uploading" : "waiting";
}

function barOf(blob: PullProgress): string {
  if (isFinished(blob)) return bar(1);
  const share = blob.total === 0 ? 0 : Math.min(1, blob.current / blob.total);
  return `${bar(share)} ${binaryBytes(blob.current)}/${binaryBytes(blob.total)}`;
}

function bar(share: number): string {
  const done = Math.round(share * barWidth);
  return `|\u001b[32m${"+".repeat(done)}\u001b[0m${"-".repeat(barWidth - done)}|`;
}
