/** How things of the engine are called by containerd's client. */
import type { Container } from "#engine";
import { formatReference, parseReference } from "#spec";

/** An image as a container was made of it, with all that its name leaves out. */
export function canonicalImage(image: string): string {
  return image.startsWith("sha256:") ? image : formatReference(parseReference(image));
}

/** The one that is built in. */
export const runtimeName = "sampan";

const taskWords: Readonly<Record<string, string>> = {
  running: "RUNNING",
  paused: "PAUSED",
  restarting: "STOPPED",
  exited: "STOPPED",
  dead: "STOPPED",
};

/** Undefined for a container that has no task: it was never started, or how it ended was deleted. */
export function taskStatus(container: Container): { readonly status: string; readonly pid: number } | undefined {
  const { state } = container;
  if (state.status === "none") return undefined;
  if (state.status === "created") return { status: "CREATED", pid: state.pid };
  const { status } = container.summary();
  return { status: taskWords[status] ?? "UNKNOWN", pid: state.status === "running" ? state.pid : 0 };
}
