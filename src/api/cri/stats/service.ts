/** What containers and pods use. */
import { batches } from "../batches.ts";
import type { CriContext } from "../context.ts";
import type { CriContainer } from "../containers/book.ts";
import type {
  ContainerStats,
  ContainerStatsFilter,
  PodSandboxMetrics,
  PodSandboxStats,
  PodSandboxStatsFilter,
} from "../gen/runtime/v1/stats_pb.ts";
import type { CriPod } from "../pods/book.ts";
import type { RuntimePart } from "../service.ts";
import { containerStats } from "./container-stats.ts";
import { descriptors } from "./metric-descriptors.ts";
import { podMetrics } from "./metrics.ts";
import { podStats } from "./pod-stats.ts";
import { present } from "./present.ts";

export function statsService(context: CriContext): RuntimePart {
  const { containers, engine, pods, rates, written } = context;

  const listContainers = async (filter: ContainerStatsFilter | undefined): Promise<ContainerStats[]> => {
    const all = containers.list();
    forget(all, pods.list());
    const wanted = all.filter(
      ({ id, podId, config }) =>
        id.startsWith(filter?.id ?? "") &&
        podId.startsWith(filter?.podSandboxId ?? "") &&
        hasLabels(config.labels, filter?.labelSelector),
    );
    return await present(wanted.map((container) => containerStats(context, container)));
  };

  const listPods = async (filter: PodSandboxStatsFilter | undefined): Promise<PodSandboxStats[]> => {
    const all = containers.list();
    const listed = pods.list();
    forget(all, listed);
    const wanted = listed.filter(
      ({ id, config }) => id.startsWith(filter?.id ?? "") && hasLabels(config.labels, filter?.labelSelector),
    );
    const members = Map.groupBy(all, ({ podId }) => podId);
    return await present(wanted.map((pod) => podStats(context, pod, members.get(pod.id) ?? [])));
  };

  /** A pod that is down uses nothing. */
  const listMetrics = async (): Promise<PodSandboxMetrics[]> => {
    const members = Map.groupBy(containers.list(), ({ podId }) => podId);
    const up = pods.list().filter(({ id }) => engine.pods.isUp(id));
    return await present(up.map((pod) => podMetrics(context, pod, members.get(pod.id) ?? [])));
  };

  /** What is known of containers and pods that are gone. */
  const forget = (all: readonly CriContainer[], listed: readonly CriPod[]): void => {
    const ids = new Set([...all, ...listed].map(({ id }) => id));
    rates.keep(ids);
    written.keep(ids);
  };

  return {
    async containerStats({ containerId }) {
      return { stats: await containerStats(context, containers.get(containerId)) };
    },

    async listContainerStats({ filter }) {
      return { stats: await listContainers(filter) };
    },

    async *streamContainerStats({ filter }) {
      for (const part of batches(await listContainers(filter))) yield { containerStats: part };
    },

    async podSandboxStats({ podSandboxId }) {
      const pod = pods.get(podSandboxId);
      return { stats: await podStats(context, pod, containers.ofPod(pod.id)) };
    },

    async listPodSandboxStats({ filter }) {
      return { stats: await listPods(filter) };
    },

    async *streamPodSandboxStats({ filter }) {
      for (const part of batches(await listPods(filter))) yield { podSandboxStats: part };
    },

    listMetricDescriptors() {
      return { descriptors: [...descriptors] };
    },

    async listPodSandboxMetrics() {
      return { podMetrics: await listMetrics() };
    },

    async *streamPodSandboxMetrics() {
      for (const part of batches(await listMetrics())) yield { podSandboxMetrics: part };
    },
  };
}

function hasLabels(
  labels: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>> | undefined,
): boolean {
  return Object.entries(wanted ?? {}).every(([name, value]) => Object.hasOwn(labels, name) && labels[name] === value);
}
