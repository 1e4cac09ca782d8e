/** Entries of one message of a list that is streamed: far from the 16 MiB that a message may have, whatever they hold. */
const pageSize = 500;

/** Parts of a list for the calls that stream one (Kubernetes' KEP-5825). An empty list has none. */
export function* pages<T>(list: readonly T[]): Generator<T[], void, void> {
  for (let from = 0; from < list.length; from += pageSize) yield list.slice(from, from + pageSize);
}
