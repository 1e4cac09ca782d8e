/** A sink that only writes down what it is sent, for tests. */
import type { LayerEntry, LayerSink } from "#keel";

export class RecordingSink implements LayerSink {
  /** Content is copied; parts of one file that follow each other are joined. */
  readonly entries: LayerEntry[] = [];
  /** Set by `finish`. */
  finished: { readonly sync: boolean } | undefined;
  disposed = false;

  write(entry: LayerEntry): Promise<void> {
    const last = this.entries.at(-1);
    if (entry.kind !== "apply-data") this.entries.push(entry);
    else if (last?.kind === "apply-data" && last.offset + BigInt(last.data.length) === entry.offset)
      this.entries.splice(-1, 1, { ...last, data: new Uint8Array(Buffer.concat([last.data, entry.data])) });
    else this.entries.push({ ...entry, data: new Uint8Array(entry.data) });
    return Promise.resolve();
  }

  finish(options: { readonly sync: boolean }): Promise<void> {
    this.finished = options;
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.disposed = true;
    return Promise.resolve();
  }
}
