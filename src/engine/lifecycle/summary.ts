/** Lines of `ps`. */
import { lostStatus, type RuntimeState } from "#runtime";
import type { EngineCore } from "../core.ts";
import { containerStatus, type ContainerStatus } from "../inspect.ts";
import type { ContainerRecord } from "../records.ts";
import type { PublishedPort } from "#network";
import type { containerNetworks } from "../network/details.ts";
import { readHealth } from "../supervise/health-file.ts";
import { newHealth } from "../supervise/health.ts";
import { isPaused } from "./freeze.ts";

export interface ContainerSummary {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly status: ContainerStatus;
  readonly state: RuntimeState;
  readonly imageId: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Of the last end, of one that has ended. */
  readonly exitCode: number | undefined;
  /** Of the last health check; undefined without any. */
  readonly health: "starting" | "healthy" | "unhealthy" | undefined;
  readonly mounts: readonly { readonly name: string | undefined; readonly source: string; readonly target: string }[];
  /** Names of its networks; `none`, `host` or `container:NAME` for those modes. */
  readonly networks: readonly string[];
  /** Ports of the host that lead to it; none while it does not run. */
  readonly ports: readonly PublishedPort[];
  /** Ports that it exposes, e.g. `80/tcp`. */
  readonly exposed: readonly string[];
}

/** @param networks what {@link containerNetworks} read for all of a list */
export function containerSummary(
  core: EngineCore,
  record: ContainerRecord,
  networks: ReturnType<typeof containerNetworks>,
): ContainerSummary {
  const { options, resolved } = record;
  const state = core.runtime.state(record.id);
  return {
    id: record.id,
    name: record.name,
    image: record.image,
    imageId: record.imageId,
    command: resolved.args,
    createdAt: record.createdAt,
    labels: resolved.labels,
    exitCode: state.status === "stopped" ? state.exit.status : state.status === "lost" ? lostStatus.status : undefined,
    health:
      resolved.health === undefined || state.status !== "running"
        ? undefined
        : (readHealth(core.runtime.stateDirectory(record.id)) ?? newHealth).status,
    mounts: [
      ...(options.mounts ?? [])
        .filter((m) => m.type === "bind")
        .map((m) => ({ name: undefined, source: m.source ?? "", target: m.target })),
      ...resolved.volumes.map((v) => ({ name: v.name, source: core.volumeDirectory(v.name), target: v.target })),
    ],
    ...networks(record, state.status === "running"),
    status: containerStatus(
      state,
      () => isPaused(core, record),
      () => core.supervision.get(record.id)?.due !== undefined,
    ),
    state,
  };
}

/** Bytes on disk of what a container has written, and with its image's layers. */
export async function containerSize(
  core: EngineCore,
  id: string,
): Promise<{ readonly written: number; readonly total: number }> {
  const { snapshotter, records } = core;
  const { resolved } = records.find(id);
  const own = (await snapshotter.usage(id)).bytes;
  let total = own;
  for (let key = resolved.chainId; key !== undefined;) {
    total += (await snapshotter.usage(key)).bytes;
    key = (await snapshotter.stat(key))?.parent;
  }
  return { written: own, total };
}
