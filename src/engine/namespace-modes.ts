/** Which pid, ipc and uts namespace a container is in. */
import { invalidArgument } from "#errdefs";
import type { ContainerOptions } from "./options.ts";

export type PidMode =
  | { readonly kind: "own" }
  | { readonly kind: "host" }
  | { readonly kind: "container"; readonly container: string };

/** @throws SampanError `invalid-argument` */
export function pidMode({ pid = "" }: Pick<ContainerOptions, "pid">): PidMode {
  if (pid === "" || pid === "private") return { kind: "own" };
  if (pid === "host") return { kind: "host" };
  if (pid.startsWith("container:") && pid.length > "container:".length)
    return { kind: "container", container: pid.slice("container:".length) };
  throw invalidArgument(`Cannot use pid namespace "${pid}": it is host, private or container:NAME`);
}

/**
 * Whether it is the host's.
 *
 * @throws SampanError `invalid-argument`
 */
export function hostOrPrivate(what: "ipc" | "uts", text = "private"): boolean {
  if (text !== "host" && text !== "private" && text !== "")
    throw invalidArgument(`Cannot use ${what} namespace "${text}": it is host or private`);
  return text === "host";
}
