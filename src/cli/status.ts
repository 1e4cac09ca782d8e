import type { ContainerSummary } from "#engine";

/** `Up 3 minutes (healthy)`, `Exited (137) 2 hours ago`, `Created`. */
export function describeStatus(
  { state, status, health, exitCode }: Pick<ContainerSummary, "state" | "status" | "health" | "exitCode">,
  now: number,
  duration: (milliseconds: number) => string,
): string {
  const ended = state.status === "stopped" ? state.exit.at : now;
  if (status === "restarting") return `Restarting (${exitCode ?? 0}) ${duration(now - ended)} ago`;
  switch (state.status) {
    case "none":
    case "created":
      return "Created";
    case "running": {
      const up = `Up ${duration(now - state.startedAt)}`;
      if (status === "paused") return `${up} (Paused)`;
      return health === undefined ? up : `${up} (${health === "starting" ? "health: starting" : health})`;
    }
    case "stopped":
      return `Exited (${state.exit.status}) ${duration(now - ended)} ago`;
    case "lost":
      return "Exited (255), its end was not seen";
  }
}
