/** UpdateContainerResources. */
import { failedPrecondition, invalidArgument } from "#errdefs";
import type { CriContext } from "../context.ts";
import type { LinuxContainerResources } from "../gen/runtime/v1/common_pb.ts";
import { hostFacts } from "./facts.ts";
import { containerState, ContainerState } from "./state.ts";
import { limits } from "./translate/resources.ts";

/**
 * All limits of the request, or none when one is refused. What is 0 or empty stays as it is.
 *
 * @throws SampanError `invalid-argument`, `failed-precondition` for one that has ended
 */
export async function updateResources(
  { engine, containers }: CriContext,
  id: string,
  linux: LinuxContainerResources | undefined,
): Promise<void> {
  const found = containers.get(id);
  if (linux === undefined) throw invalidArgument("Cannot update a container: linux is missing");
  const options = limits("linux", linux, hostFacts(engine));
  if (containerState(found) === ContainerState.CONTAINER_EXITED)
    throw failedPrecondition(`Cannot update container "${found.id}": it has ended`);
  if (Object.keys(options).length > 0) await found.container.update(options);
}
