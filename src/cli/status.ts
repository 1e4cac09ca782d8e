import type { RuntimeState } from "#runtime";

/** `Up 3 minutes`, `Exited (137) 2 hours ago`, `Created`. */
export function describeStatus(state: RuntimeState, now: number, duration: (milliseconds: number) => string): string {
  switch (state.status) {
    case "none":
    case "created":
      return "Created";
    case "running":
      return `Up ${duration(now - state.startedAt)}`;
    case "stopped":
      return `Exited (${state.exit.status}) ${duration(now - state.exit.at)} ago`;
    case "lost":
      return "Exited (255), its end was not seen";
  }
}
