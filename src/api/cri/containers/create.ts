/** CreateContainer. */
import { failedPrecondition, invalidArgument, isSampanError, notFound } from "#errdefs";
import type { Engine } from "#engine";
import { repositoryName, parseReference } from "#spec";
import type { CriContext } from "../context.ts";
import type { ContainerConfig } from "../gen/runtime/v1/containers_pb.ts";
import type { CreateContainerRequest } from "../gen/runtime/v1/runtime_pb.ts";
import { extensionName, type CriPod } from "../pods/book.ts";
import { ContainerBook } from "./book.ts";
import { hostFacts } from "./facts.ts";
import { containerState, ContainerState } from "./state.ts";
import { refuse } from "./translate/check.ts";
import { containerOptions } from "./translate/options.ts";

/** @returns the id of a container that waits for its start; nothing is left of one that can't be */
export async function createContainer(
  context: CriContext,
  { podSandboxId, config, sandboxConfig }: CreateContainerRequest,
  signal: AbortSignal,
): Promise<string> {
  const { engine, pods } = context;
  if (config === undefined) throw invalidArgument("Cannot make a container: config is missing");
  const pod = pods.get(podSandboxId);
  if (!engine.pods.isUp(pod.id))
    throw failedPrecondition(`Cannot make a container: pod sandbox "${pod.id}" is not ready`);
  const options = containerOptions(config, {
    ...hostFacts(engine),
    podId: pod.id,
    pod: pod.config,
    logDirectory: sandboxConfig?.logDirectory || pod.config.logDirectory,
    findTarget: (field, id) => findTarget(context, pod, field, id),
  });
  const imageRef = referenceOf(engine, config);
  const extensions = { [extensionName]: ContainerBook.write({ config, imageRef, failure: undefined }) };
  const container = await engine.create({ ...options, extensions });
  try {
    signal.throwIfAborted();
    // It may have been removed meanwhile, and then nobody else knows of the container.
    if (pods.find(pod.id) === undefined)
      throw notFound(`Cannot make a container: pod sandbox "${pod.id}" has been removed meanwhile`);
  } catch (error) {
    await container.removeIfThere({ force: true, volumes: true });
    throw error;
  }
  return container.id;
}

/** The image's digest in its repository, by the name that it was asked for; its id where it has none. */
function referenceOf(engine: Engine, { image }: ContainerConfig): string {
  const name = image?.image ?? "";
  let found;
  try {
    found = engine.image(name);
  } catch (error) {
    if (isSampanError(error, "not-found"))
      throw notFound(`Cannot find image ${JSON.stringify(name)} (config.image.image): it has not been pulled`);
    throw error;
  }
  const own = found.name.startsWith("sha256:") ? undefined : found.name;
  const known = own ?? engine.images().find(({ id, name: other }) => id === found.id && other !== undefined)?.name;
  if (known === undefined) return found.id;
  return `${repositoryName(parseReference(known))}@${found.target}`;
}

function findTarget({ containers }: CriContext, pod: CriPod, field: string, id: string): string {
  if (id === "") refuse(field, id, "it is empty");
  const target = containers.find(id);
  if (target === undefined) throw notFound(`Cannot use ${field} "${id}": there is no such container`);
  if (target.podId !== pod.id) refuse(field, id, "the container is in another pod sandbox");
  if (containerState(target) !== ContainerState.CONTAINER_RUNNING)
    throw failedPrecondition(`Cannot use ${field} "${id}": the container is not running`);
  return target.id;
}
