/** ContainerStatus. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { ActualLimits, ContainerOptions } from "#engine";
import {
  ContainerStatusSchema,
  MountSchema,
  type ContainerStatus,
  type Mount,
} from "../gen/runtime/v1/containers_pb.ts";
import { ImageSpecSchema, LinuxContainerResourcesSchema } from "../gen/runtime/v1/common_pb.ts";
import type { CriContainer } from "./book.ts";
import { courseOf } from "./state.ts";
import { signalOf } from "./translate/signals.ts";

export async function containerStatus(found: CriContainer): Promise<ContainerStatus> {
  const { id, container, config, imageRef } = found;
  const { metadata, image, labels, annotations } = config;
  const { record } = container;
  const { options, resolved } = record;
  const { pid: _, ...course } = courseOf(found);
  const { uid, gid, groups } = resolved.user;
  const limits = await container.limits();
  return create(ContainerStatusSchema, {
    id,
    ...course,
    createdAt: BigInt(record.createdAt) * 1_000_000n,
    imageRef,
    imageId: record.imageId,
    labels,
    annotations,
    mounts: mounts(found),
    logPath: options.logPath ?? "",
    resources: { linux: limits === undefined ? asked(options) : actual(limits) },
    user: {
      linux: { uid: BigInt(uid), gid: BigInt(gid), supplementalGroups: groups.map((group) => BigInt(group)) },
    },
    stopSignal: signalOf(resolved.stopSignal),
    ...(metadata && { metadata }),
    ...(image && { image }),
  });
}

/** As they were asked for; of an image it is said which one it is. */
function mounts({ config, container }: CriContainer): Mount[] {
  const images = container.record.resolved.images ?? [];
  let next = 0;
  return config.mounts.map((mount) => {
    if (mount.image === undefined || mount.image.image === "") return mount;
    const imageRef = images[next++]?.imageId ?? "";
    return create(MountSchema, {
      ...mount,
      readonly: true,
      image: create(ImageSpecSchema, { ...mount.image, imageRef }),
    });
  });
}

type Resources = MessageInitShape<typeof LinuxContainerResourcesSchema>;

/** What the CRI leaves out stands for no limit. */
function actual(limits: ActualLimits): Resources {
  const number = (value: number | undefined): bigint => BigInt(Math.trunc(value ?? 0));
  return {
    cpuPeriod: number(limits.cpuPeriod),
    cpuQuota: number(limits.cpuQuota),
    cpuShares: number(limits.cpuShares),
    memoryLimitInBytes: number(limits.memory),
    memorySwapLimitInBytes: number(limits.memorySwap),
    oomScoreAdj: number(limits.oomScoreAdj),
    cpusetCpus: limits.cpusetCpus ?? "",
    cpusetMems: limits.cpusetMems ?? "",
    hugepageLimits: Object.entries(limits.hugepages).map(([pageSize, limit]) => ({ pageSize, limit })),
    unified: { ...limits.cgroupFiles },
  };
}

/** Of one that does not run: what it is, or was, started with. */
function asked(options: ContainerOptions): Resources {
  return actual({
    cpuPeriod: options.cpuPeriod,
    cpuQuota: options.cpuQuota,
    cpuShares: options.cpuShares,
    memory: sizeOf(options.memory),
    memorySwap: sizeOf(options.memorySwap),
    oomScoreAdj: options.oomScoreAdj,
    cpusetCpus: options.cpusetCpus,
    cpusetMems: options.cpusetMems,
    hugepages: Object.fromEntries(
      Object.entries(options.hugepages ?? {}).map(([size, limit]) => [size, BigInt(sizeOf(limit) ?? 0)]),
    ),
    cgroupFiles: options.cgroupFiles ?? {},
  });
}

const sizeOf = (size: number | string | undefined): number | undefined =>
  size === undefined ? undefined : Number(size);
