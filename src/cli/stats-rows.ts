/** Rows of `stats`, by Docker's names. */
import { humanSize, type ContainerStats } from "#engine";
import type { Listing, Row } from "./format/print-rows.ts";

export const statsListing: Listing = {
  headers: {
    Container: "CONTAINER",
    ID: "CONTAINER ID",
    Name: "NAME",
    CPUPerc: "CPU %",
    MemUsage: "MEM USAGE / LIMIT",
    MemPerc: "MEM %",
    NetIO: "NET I/O",
    BlockIO: "BLOCK I/O",
    PIDs: "PIDS",
  },
  columns: ["ID", "Name", "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs"],
};

const shortId = (id: string, full: boolean): string => (full ? id : id.slice(0, 12));

export function statsRow(s: ContainerStats, full: boolean): Row {
  return {
    Container: shortId(s.id, full),
    ID: shortId(s.id, full),
    Name: s.name,
    CPUPerc: `${s.cpu.percent.toFixed(2)}%`,
    MemUsage: `${binarySize(s.memory.usage)} / ${binarySize(s.memory.limit)}`,
    MemPerc: `${s.memory.percent.toFixed(2)}%`,
    NetIO: `${humanSize(Number(s.network.received))} / ${humanSize(Number(s.network.sent))}`,
    BlockIO: `${humanSize(Number(s.blockIo.read))} / ${humanSize(Number(s.blockIo.written))}`,
    PIDs: s.pids.current,
  };
}

/** Of one that does not run. */
export function idleRow({ id, name }: { readonly id: string; readonly name: string }, full: boolean): Row {
  const none = "--";
  return {
    Container: shortId(id, full),
    ID: shortId(id, full),
    Name: name,
    CPUPerc: none,
    MemUsage: `${none} / ${none}`,
    MemPerc: none,
    NetIO: none,
    BlockIO: none,
    PIDs: none,
  };
}

/** `12.3MiB`: memory is counted in powers of 1024. */
function binarySize(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit += 1) value /= 1024;
  return `${Number(value.toPrecision(4))}${units[unit]}`;
}
