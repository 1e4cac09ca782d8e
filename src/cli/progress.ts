/** Progress of a pull, push or copy: a bar a layer on a terminal, a line a step elsewhere. All on stderr. */
import type { PullProgress } from "#images";

export interface ProgressDisplay extends Disposable {
  readonly update: (progress: PullProgress) => void;
}

interface LayerLine {
  readonly label: string;
  phase: string;
  done: number;
  total: number;
}

const interval = 100;
const barWidth = 30;

/** @param quiet shows nothing at all */
export function pullProgress(reference: string, quiet = false): ProgressDisplay {
  return progressDisplay(`Pulling ${reference}`, quiet);
}

/** @param title printed before the first layer */
export function progressDisplay(title: string, quiet: boolean): ProgressDisplay {
  if (quiet) return { update: () => undefined, [Symbol.dispose]: () => undefined };
  return process.stderr.isTTY ? new Bars(title) : new Lines(title);
}

const short = (digest: string): string => digest.slice(digest.indexOf(":") + 1, digest.indexOf(":") + 13);

class Lines implements ProgressDisplay {
  readonly #title: string;
  readonly #phases = new Map<string, string>();

  constructor(title: string) {
    this.#title = title;
  }

  readonly update = (progress: PullProgress): void => {
    if (this.#phases.size === 0) process.stderr.write(`${this.#title}\n`);
    if (this.#phases.get(progress.digest) === progress.status) return;
    this.#phases.set(progress.digest, progress.status);
    process.stderr.write(`${short(progress.digest)}: ${progress.status}\n`);
  };

  [Symbol.dispose](): void {
    // Every line is complete as it is.
  }
}

/** Redraws its lines in place, at most ten times a second. */
class Bars implements ProgressDisplay {
  readonly #title: string;
  readonly #layers = new Map<string, LayerLine>();
  #drawn = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(title: string) {
    this.#title = title;
  }

  readonly update = (progress: PullProgress): void => {
    if (this.#layers.size === 0) process.stderr.write(`${this.#title}\n`);
    let layer = this.#layers.get(progress.digest);
    if (layer === undefined) {
      layer = { label: short(progress.digest), phase: "", done: 0, total: 0 };
      this.#layers.set(progress.digest, layer);
    }
    layer.phase = progress.status;
    layer.done = progress.current;
    layer.total = progress.total;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#draw();
    }, interval).unref();
  };

  #draw(): void {
    // More lines than the terminal has can't be gone back to: only the last ones are shown then.
    const lines = [...this.#layers.values()].slice(-Math.max(1, (process.stderr.rows ?? 24) - 2));
    const up = this.#drawn > 0 ? `\u001b[${this.#drawn}A` : "";
    const width = (process.stderr.columns ?? 80) - 1;
    process.stderr.write(up + lines.map((l) => `\u001b[2K${barLine(l).slice(0, width)}\n`).join(""));
    this.#drawn = lines.length;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    if (this.#timer !== undefined || this.#drawn < this.#layers.size) this.#draw();
    this.#timer = undefined;
    this.#layers.clear();
    this.#drawn = 0;
  }
}

function barLine({ label, phase, done, total }: LayerLine): string {
  const share = total === 0 ? 0 : Math.min(1, done / total);
  const filled = Math.round(share * barWidth);
  const bar =
    phase.endsWith("ing") && phase !== "waiting"
      ? ` [${"=".repeat(filled)}${" ".repeat(barWidth - filled)}] ${megabytes(done)}/${megabytes(total)}`
      : "";
  return `${label}: ${phase.padEnd(11)}${bar}`;
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)}MB`;
