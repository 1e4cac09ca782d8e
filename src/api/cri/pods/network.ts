/** The one place where it is decided what network pods are on. */
import type { CriContext } from "../context.ts";

/** A network of the engine. Asked anew for each pod: a configuration of CNI often comes with a pod on the host's network. */
export async function podNetwork({ engine, network }: CriContext): Promise<"bridge" | "cni"> {
  if (network !== "auto") return network;
  return (await engine.cni.files()).length > 0 ? "cni" : "bridge";
}

/** Why pods can't be put on their network; undefined when they can. The built-in bridge needs nothing of the host. */
export async function networkProblem(context: CriContext): Promise<string | undefined> {
  if ((await podNetwork(context)) === "bridge") return undefined;
  const { ready, message } = await context.engine.cni.status();
  return ready ? undefined : message;
}
