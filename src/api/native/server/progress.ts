/** Progress of a transfer for a client that may be slower than it: of each blob only the newest word waits. */
import type { PullProgress } from "#images";

export type ProgressOr<T> =
  | { readonly progress: PullProgress; readonly result?: undefined }
  | { readonly result: T; readonly progress?: undefined };

/** @param run does it, and tells of its progress */
export async function* withProgress<T>(
  run: (onProgress: (progress: PullProgress) => void) => Promise<T>,
): AsyncGenerator<ProgressOr<T>, void, void> {
  const news = new Map<string, PullProgress>();
  let wake = (): void => undefined;
  let finished: { readonly result: T } | undefined;
  let failed: { readonly error: unknown } | undefined;
  run((progress) => {
    news.set(progress.digest, progress);
    wake();
  }).then(
    (result) => {
      finished = { result };
      wake();
    },
    (error: unknown) => {
      failed = { error };
      wake();
    },
  );
  for (;;) {
    const waiting = [...news.values()];
    news.clear();
    for (const progress of waiting) yield { progress };
    if (news.size > 0) continue;
    if (failed !== undefined) throw failed.error;
    if (finished !== undefined) {
      yield finished;
      return;
    }
    await new Promise<void>((resolve) => (wake = resolve));
  }
}
