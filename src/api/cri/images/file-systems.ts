/** What images and containers take on disk. */
import { create } from "@bufbuild/protobuf";
import type { CriContext } from "../context.ts";
import { FilesystemUsageSchema, type FilesystemUsage } from "../gen/runtime/v1/common_pb.ts";
import { nanosecondsNow } from "../stats/time.ts";
import type { WrittenSize } from "../stats/written-sizes.ts";

export interface FileSystems {
  readonly images: FilesystemUsage;
  readonly containers: FilesystemUsage;
}

/** Both are below one directory; a layer is measured once, since it never changes. */
export async function fileSystems({ engine, measurements, written }: CriContext): Promise<FileSystems> {
  const { directory } = measurements;
  const images = await engine.imageStore.totalUsage();
  let [bytes, inodes] = [0, 0];
  for (const { id } of engine.containers()) {
    const usage = await written.of(id);
    bytes += usage.bytes;
    inodes += usage.inodes;
  }
  return { images: fileSystem(directory, images), containers: fileSystem(directory, { bytes, inodes }) };
}

/** @param mountpoint where a kubelet finds the file system by */
export function fileSystem(mountpoint: string, { bytes, inodes }: WrittenSize): FilesystemUsage {
  return create(FilesystemUsageSchema, {
    timestamp: nanosecondsNow(),
    fsId: { mountpoint },
    usedBytes: { value: BigInt(bytes) },
    inodesUsed: { value: BigInt(inodes) },
  });
}
