/** Names by which RunPodSandbox says what runs a pod's containers. */
import { invalidArgument } from "#errdefs";

/** All are the built-in one; the empty name is the default. */
export const handlerNames = ["", "sampan"] as const;

export function checkHandler(name: string): void {
  if ((handlerNames as readonly string[]).includes(name)) return;
  throw invalidArgument(
    `Cannot make a pod sandbox: runtime_handler ${JSON.stringify(name.slice(0, 80))} is not configured`,
    {
      remedy: `There is ${handlerNames.filter((known) => known !== "").join(", ")}`,
    },
  );
}
