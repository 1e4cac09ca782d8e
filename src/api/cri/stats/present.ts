import { isSampanError } from "#errdefs";

/** What a list has of those that are still there: one that is removed meanwhile is left out. */
export async function present<T>(parts: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(parts);
  return settled.flatMap((part) => {
    if (part.status === "fulfilled") return [part.value];
    if (isSampanError(part.reason, "not-found")) return [];
    throw part.reason;
  });
}
