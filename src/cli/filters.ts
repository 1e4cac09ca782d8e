import { invalidArgument } from "#errdefs";

/** `--filter KEY=VALUE`, each key with all its values. */
export function parseFilters(texts: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const filters = new Map<string, string[]>();
  for (const text of texts) {
    const at = text.indexOf("=");
    if (at <= 0) throw invalidArgument(`Cannot parse --filter "${text}": it is not KEY=VALUE`);
    const key = text.slice(0, at);
    filters.set(key, [...(filters.get(key) ?? []), text.slice(at + 1)]);
  }
  return Object.fromEntries(filters);
}
