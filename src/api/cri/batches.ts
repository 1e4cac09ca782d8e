/** Items of one message of a streaming list: none of them comes near to the size that a client takes. */
const batchLength = 100;

/** At least one batch, so that a client sees an empty list. */
export function* batches<T>(items: readonly T[]): Generator<T[], void, void> {
  let from = 0;
  do {
    yield items.slice(from, from + batchLength);
    from += batchLength;
  } while (from < items.length);
}
