/** Names by which RunPodSandbox says what runs a pod's containers. */
import type { Engine } from "#engine";
import { invalidArgument } from "#errdefs";

/** The empty name is the default; all others are the engine's runtimes. */
export const handlerNames = async (engine: Engine): Promise<readonly string[]> => [
  "",
  ...(await engine.handlers.names()),
];

/** The engine's name of a handler; undefined for the built-in one. */
export const runtimeOf = (handler: string): string | undefined =>
  handler === "" || handler === "sampan" ? undefined : handler;

export async function checkHandler(engine: Engine, name: string): Promise<void> {
  const names = await handlerNames(engine);
  if (names.includes(name)) return;
  throw invalidArgument(
    `Cannot make a pod sandbox: runtime_handler ${JSON.stringify(name.slice(0, 80))} is not configured`,
    {
      remedy: `There is ${names.filter((known) => known !== "").join(", ")}`,
    },
  );
}
