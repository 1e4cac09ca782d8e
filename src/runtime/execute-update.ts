import { isSampanError, SampanError } from "#errdefs";
import { readText } from "#host";
import type { Executor } from "#keel";
import { planRollback, updatedFiles, type Update } from "#plan";

/**
 * Changes limits of running containers, all or none.
 *
 * @throws SampanError why the update failed, after all that it had changed is as before; its remedy says what could not be set
 * back, if anything
 */
export async function executeUpdate(executor: Executor, update: Update): Promise<void> {
  const saved = new Map(updatedFiles(update).map((path) => [path, readText(path)]));
  try {
    await executor.execute(update.steps.map((s) => s.operation));
  } catch (error) {
    // Where it is not said which step failed, all may have been carried out.
    const failed = isSampanError(error) ? error.fields.step : undefined;
    const undo = planRollback(update, saved, failed === undefined ? update.steps.length : failed - 1);
    // Each by itself: one that can't be undone is no reason to leave the others.
    const left: string[] = [];
    for (const operation of undo)
      await executor.execute([operation]).catch((failure: unknown) => left.push((failure as Error).message));
    if (left.length === 0 || !(error instanceof SampanError)) throw error;
    throw new SampanError(error.code, error.message, {
      ...error.fields,
      cause: error,
      remedy: `Other limits were changed before, and could not be set back: ${left.join("; ")}`,
    });
  }
}
