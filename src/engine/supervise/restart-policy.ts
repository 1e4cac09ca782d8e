/** Restart policies, in Docker's words, and how long to wait before a restart. */
import { invalidArgument } from "#errdefs";

export interface RestartPolicy {
  readonly name: "no" | "always" | "unless-stopped" | "on-failure";
  /** Restarts after which `on-failure` gives up; 0 never does. */
  readonly most: number;
}

/** `no`, `always`, `unless-stopped`, `on-failure` or `on-failure:N`. */
export function parseRestart(text: string | undefined): RestartPolicy {
  const [, name, most] = /^(no|always|unless-stopped|on-failure)(?::(\d{1,9}))?$/.exec(text || "no") ?? [];
  if (name === undefined || (most !== undefined && name !== "on-failure"))
    throw invalidArgument(`Cannot parse --restart "${text}": there is no such policy`, {
      remedy: "It is no, on-failure[:N], always or unless-stopped",
    });
  return { name: name as RestartPolicy["name"], most: Number(most ?? 0) };
}

/** Milliseconds. */
const shortest = 100;
const longest = 60_000;
/** One that has run so long is not failing: it begins anew with the shortest wait. */
const settled = 10_000;

export interface Ended {
  /** Exit code. */
  readonly status: number;
  /** Milliseconds from its start to its end. */
  readonly ranFor: number;
  /** How often it has been restarted since somebody started it. */
  readonly restarts: number;
  /** The wait before the last restart, 0 for none. */
  readonly delay: number;
}

/** Milliseconds until it is to be started again; undefined when it is not. */
export function restartDelay(policy: RestartPolicy, { status, ranFor, restarts, delay }: Ended): number | undefined {
  if (policy.name === "no") return undefined;
  if (policy.name === "on-failure" && (status === 0 || (policy.most > 0 && restarts >= policy.most))) return undefined;
  return ranFor >= settled || delay === 0 ? shortest : Math.min(delay * 2, longest);
}
