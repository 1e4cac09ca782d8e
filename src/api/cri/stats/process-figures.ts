/** Figures of a container's processes, from /proc. One that ends meanwhile counts for nothing. */
import { readdir, readlink } from "node:fs/promises";
import { readText } from "#host";
import type { Figure } from "./metrics.ts";

/** Descriptors that are looked at one by one to tell sockets among them: beyond that they are only counted. */
const mostLinks = 4096;

export async function processFigures(
  first: number,
  pids: readonly number[],
  { current, limit }: { readonly current: bigint; readonly limit: bigint },
): Promise<readonly Figure[]> {
  let [descriptors, sockets] = [0, 0];
  for (const pid of pids) {
    const directory = `/proc/${pid}/fd`;
    const names = await readdir(directory).catch(() => []);
    const looked = names.slice(0, Math.max(0, mostLinks - descriptors));
    const links = await Promise.all(looked.map((name) => readlink(`${directory}/${name}`).catch(() => "")));
    descriptors += names.length;
    sockets += links.filter((link) => link.startsWith("socket:")).length;
  }
  const openFiles = softLimit(readText(`/proc/${first}/limits`), "Max open files");
  return [
    ["container_processes", pids.length],
    ["container_threads", current],
    ["container_threads_max", limit],
    ["container_file_descriptors", descriptors],
    ["container_sockets", sockets],
    ...(openFiles === undefined ? [] : [["container_ulimits_soft", openFiles, "max_open_files"] as const]),
  ];
}

/** Undefined for no limit. */
function softLimit(text: string | undefined, name: string): bigint | undefined {
  const line = text?.split("\n").find((one) => one.startsWith(name));
  const soft = line?.slice(name.length).trim().split(/\s+/)[0];
  return soft !== undefined && /^\d+$/.test(soft) ? BigInt(soft) : undefined;
}
