import { isSampanError } from "#errdefs";
import type { Container, ContainerOptions } from "#engine";
import { ctrCommand } from "./command.ts";
import { CtrFailure, type CtrContext } from "./context.ts";
import { containerFlags, ctrContainer } from "./container-flags.ts";

export const containerCreate = ctrCommand(
  {
    name: "containers create",
    summary: "make a container, to be started later",
    usage: "IMAGE CONTAINER [COMMAND [ARG...]]",
    passthrough: true,
    options: containerFlags,
    examples: ["sampan ctr containers create docker.io/library/redis:latest redis"],
  },
  async (values, words, context) => {
    await makeContainer(context, await ctrContainer(values, words));
    return 0;
  },
);

export async function makeContainer(context: CtrContext, options: ContainerOptions): Promise<Container> {
  const engine = await context.engine();
  try {
    return await engine.create(options);
  } catch (error) {
    if (isSampanError(error, "already-exists")) throw new CtrFailure(`container "${options.name}": already exists`);
    if (isSampanError(error, "not-found") && error.fields.path === options.image)
      throw new CtrFailure(`image "${options.image}": not found`);
    throw error;
  }
}
