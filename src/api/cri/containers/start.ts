/** StartContainer. */
import { failedPrecondition, isSampanError } from "#errdefs";
import type { CriContext } from "../context.ts";
import { extensionName } from "../pods/book.ts";
import { ContainerBook, type CriContainer, type StartFailure } from "./book.ts";
import { containerState, ContainerState } from "./state.ts";

/**
 * @throws SampanError `failed-precondition` for one that was started before, or whose pod is not ready; others when it can't be
 * started, which has ended then
 */
export async function startContainer({ engine, containers }: CriContext, id: string): Promise<void> {
  const found = containers.get(id);
  const state = containerState(found);
  if (state !== ContainerState.CONTAINER_CREATED)
    throw failedPrecondition(`Cannot start container "${found.id}": it is in state ${nameOf(state)}`);
  if (!engine.pods.isUp(found.podId))
    throw failedPrecondition(`Cannot start container "${found.id}": its pod sandbox "${found.podId}" is not ready`);
  try {
    await found.container.start();
  } catch (error) {
    const another = isSampanError(error, "failed-precondition") && found.container.state.status !== "none";
    if (!another && !isSampanError(error, "not-found")) noteFailure(found, error);
    else if (isSampanError(error) && error.fields.command === true) noteFailure(found, error);
    throw asNoMissingContainer(error);
  }
}

/** A client takes `not-found` for the container's own. */
function asNoMissingContainer(error: unknown): unknown {
  if (!isSampanError(error, "not-found") || error.fields.command !== true) return error;
  return failedPrecondition(error.message, { ...error.fields, cause: error });
}

function noteFailure(found: CriContainer, error: unknown): void {
  const text = ContainerBook.write({ ...found, failure: failureOf(error) });
  try {
    found.container.setExtension(extensionName, text);
  } catch {
    // It has been removed meanwhile.
  }
}

const noSuchFile = 2;

function failureOf(error: unknown): StartFailure {
  const at = Date.now();
  const message = error instanceof Error ? error.message : String(error);
  if (!isSampanError(error) || error.fields.command !== true)
    return { at, exitCode: 128, reason: "StartError", message };
  return { at, exitCode: error.fields.errno === noSuchFile ? 127 : 126, reason: "ContainerCannotRun", message };
}

const nameOf = (state: ContainerState): string =>
  Object.entries(ContainerState).find(([, value]) => value === state)?.[0] ?? String(state);
