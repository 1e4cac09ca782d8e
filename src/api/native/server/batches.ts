/** Entries of a log, put together as far as they are there already: one message for each would cost more than its content. */
import type { LogEntry } from "#engine";

/** Bytes of one batch, about. */
const batchSize = 64 * 1024;
/** What an entry weighs beside its text. */
const overhead = 64;

export async function* batches(entries: AsyncGenerator<LogEntry, void, void>): AsyncGenerator<LogEntry[], void, void> {
  try {
    let pending = entries.next();
    for (;;) {
      const first = await pending;
      if (first.done === true) return;
      const batch = [first.value];
      let size = first.value.text.length + overhead;
      let ended = false;
      pending = entries.next();
      // Whatever is there already comes before the event loop goes on.
      const turn = nextTurn();
      while (size < batchSize) {
        const next = await Promise.race([pending, turn]);
        if (next === undefined) break;
        if (next.done === true) {
          ended = true;
          break;
        }
        batch.push(next.value);
        size += next.value.text.length + overhead;
        pending = entries.next();
      }
      yield batch;
      if (ended) return;
    }
  } finally {
    await entries.return();
  }
}

function nextTurn(): Promise<undefined> {
  return new Promise((resolve) => setImmediate(() => resolve(undefined)));
}
