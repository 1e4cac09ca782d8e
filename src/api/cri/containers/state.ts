/** How a container of the CRI is. It is started once: what has failed to start has ended. */
import { lstatSync } from "node:fs";
import { join } from "node:path";
import type { ExitStatus } from "#engine";
import { ContainerState } from "../gen/runtime/v1/containers_pb.ts";
import type { CriContainer } from "./book.ts";

export { ContainerState };

export function containerState({ container, failure }: CriContainer): ContainerState {
  const { status } = container.state;
  switch (status) {
    case "none":
      return failure === undefined ? ContainerState.CONTAINER_CREATED : ContainerState.CONTAINER_EXITED;
    case "created":
      return ContainerState.CONTAINER_CREATED;
    case "running":
      return ContainerState.CONTAINER_RUNNING;
    case "stopped":
    case "lost":
      return ContainerState.CONTAINER_EXITED;
  }
}

/** Times in nanoseconds since the epoch, 0 for not yet. */
export interface Course {
  readonly state: ContainerState;
  readonly startedAt: bigint;
  readonly finishedAt: bigint;
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
  /** Of its first process; 0 when there is none. */
  readonly pid: number;
}

const nanoseconds = (milliseconds: number): bigint => BigInt(Math.trunc(milliseconds)) * 1_000_000n;

export function courseOf(given: CriContainer): Course {
  const { container, failure } = given;
  const state = container.state;
  const course = { startedAt: 0n, finishedAt: 0n, exitCode: 0, reason: "", message: "", pid: 0 };
  switch (state.status) {
    case "none": {
      if (failure === undefined) return { ...course, state: ContainerState.CONTAINER_CREATED };
      const { at, exitCode, reason, message } = failure;
      return {
        ...course,
        state: ContainerState.CONTAINER_EXITED,
        finishedAt: nanoseconds(at),
        exitCode,
        reason,
        message,
      };
    }
    case "created":
      return { ...course, state: ContainerState.CONTAINER_CREATED };
    case "running":
      return {
        ...course,
        state: ContainerState.CONTAINER_RUNNING,
        startedAt: nanoseconds(state.startedAt),
        pid: state.pid,
      };
    case "stopped": {
      const { exit } = state;
      return {
        ...course,
        state: ContainerState.CONTAINER_EXITED,
        // The end of one that ends at once is noted before its start is.
        startedAt: nanoseconds(Math.min(state.startedAt ?? exit.at, exit.at)),
        finishedAt: nanoseconds(exit.at),
        exitCode: exit.status,
        reason: reasonOf(exit),
      };
    }
    case "lost":
      container.noteLost();
      return {
        ...course,
        state: ContainerState.CONTAINER_EXITED,
        startedAt: nanoseconds(state.startedAt ?? container.record.createdAt),
        finishedAt: nanoseconds(lostAt(container.stateDirectory) ?? Date.now()),
        exitCode: 255,
        reason: "Error",
        message: "its end was not seen: its monitor was killed, or the host went down",
      };
  }
}

function reasonOf({ status, oomKilled }: ExitStatus): string {
  if (status === 0) return "Completed";
  return oomKilled ? "OOMKilled" : "Error";
}

/** When it was noticed. */
function lostAt(directory: string): number | undefined {
  return lstatSync(join(directory, "lost"), { throwIfNoEntry: false })?.mtimeMs;
}
