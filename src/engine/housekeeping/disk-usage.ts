/** What takes space, and how much of it could go. Sizes are what is allocated on disk, as `du` counts. */
import { existsSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { ImageUsage } from "#images";
import { treeUsage, type Usage } from "#snapshots";
import type { HousekeepingTools } from "./housekeeping.ts";

interface ContainerUsage {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly running: boolean;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Of its writable layer. */
  readonly layer: Usage;
  /** Of its log and other files, in bytes. */
  readonly files: number;
}

export interface VolumeUsage {
  readonly name: string;
  readonly usage: Usage;
  /** Names of the containers that use it. */
  readonly containers: readonly string[];
}

export interface DiskUsage {
  /** Of the namespace. */
  readonly images: readonly ImageUsage[];
  /** Bytes of all that they need, each blob and layer once; and what of it goes when all unused ones are removed. */
  readonly imageBytes: { readonly total: number; readonly reclaimable: number };
  readonly containers: readonly ContainerUsage[];
  readonly volumes: readonly VolumeUsage[];
  /** Of all namespaces: blobs and layers that no image needs, and partial downloads. */
  readonly garbage: { readonly count: number; readonly bytes: number };
  /** Compiled filters and the like, which come again. */
  readonly cache: Usage;
  /** Every layer on disk, of all namespaces. */
  readonly layers: readonly { readonly key: string; readonly usage: Usage; readonly images: number }[];
}

export async function diskUsage(tools: HousekeepingTools): Promise<DiskUsage> {
  const { core, records, images, paths } = tools;
  const containers: ContainerUsage[] = [];
  for (const record of records.list()) {
    const { status } = core.runtime.state(record.id);
    containers.push({
      id: record.id,
      name: record.name,
      image: record.image,
      running: status === "running" || status === "created",
      createdAt: record.createdAt,
      layer: await core.snapshotter.usage(record.id).catch(() => ({ bytes: 0, inodes: 0 })),
      files: (await usageOf(core.directory(record.id))).bytes,
    });
  }
  const found = await images.usage();
  return {
    ...found,
    containers,
    volumes: await volumeUsage(tools),
    cache: await usageOf(paths.cache),
  };
}

/** Volumes of the namespace with who uses them. */
export async function volumeUsage({ records, paths }: HousekeepingTools): Promise<readonly VolumeUsage[]> {
  if (!existsSync(paths.volumes)) return [];
  const users = volumeUsers(records.list());
  const names = readdirSync(paths.volumes).filter(
    (name) => !name.startsWith(".") && isDirectory(join(paths.volumes, name)),
  );
  return await Promise.all(
    names.toSorted().map(async (name) => ({
      name,
      usage: await usageOf(join(paths.volumes, name)),
      containers: users.get(name) ?? [],
    })),
  );
}

/** Names of containers by the volumes that they use. */
function volumeUsers(
  records: ReturnType<HousekeepingTools["records"]["list"]>,
): ReadonlyMap<string, readonly string[]> {
  const users = new Map<string, string[]>();
  for (const { name, resolved } of records) {
    for (const volume of resolved.volumes) {
      const known = users.get(volume.name);
      if (known === undefined) users.set(volume.name, [name]);
      else known.push(name);
    }
  }
  return users;
}

async function usageOf(path: string): Promise<Usage> {
  return existsSync(path) ? await treeUsage(path) : { bytes: 0, inodes: 0 };
}

const isDirectory = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
