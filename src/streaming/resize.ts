/** Sizes of a terminal as clients send them: JSON objects one after another, `{"Width":80,"Height":24}`. */
import type { TerminalSize } from "./backend.ts";

/** Characters of one size, with room to spare. */
const maxText = 1024;

const isSide = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value > 0 && value <= 0xffff;

/** Undefined for what is no size: a client's mistake there is no reason to end its session. */
export function parseSize(text: string): TerminalSize | undefined {
  try {
    const { Width: columns, Height: rows } = JSON.parse(text) as { Width?: unknown; Height?: unknown };
    return isSide(columns) && isSide(rows) ? { columns, rows } : undefined;
  } catch {
    return undefined;
  }
}

export async function* readSizes(source: AsyncIterable<Buffer>): AsyncGenerator<TerminalSize, void, void> {
  let text = "";
  for await (const chunk of source) {
    text += chunk.toString("utf8");
    for (let end = text.indexOf("}"); end >= 0; end = text.indexOf("}")) {
      const size = parseSize(text.slice(0, end + 1));
      text = text.slice(end + 1);
      if (size !== undefined) yield size;
    }
    if (text.length > maxText) return;
  }
}

/** The newest size only: who is slow to take one has no use for those before it. */
export class SizeQueue implements AsyncIterable<TerminalSize> {
  #newest: TerminalSize | undefined;
  #wake: (() => void) | undefined;
  #ended = false;

  push(size: TerminalSize): void {
    this.#newest = size;
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TerminalSize, void, void> {
    for (;;) {
      const size = this.#newest;
      this.#newest = undefined;
      if (size !== undefined) yield size;
      else if (this.#ended) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}
