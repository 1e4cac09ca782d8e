import { describe, expect, it } from "vitest";
import type { CgroupStats } from "#host";
import { descriptors } from "./metric-descriptors.ts";
import { deviceFigures, memoryFigures, pressureFigures } from "./metric-figures.ts";
import type { Figure } from "./metrics.ts";

const labels = new Map(descriptors.map(({ name, labelKeys }) => [name, labelKeys.length]));
const counter = { usage: 1000n, max: 2000n, failcnt: 3n, limit: 0n };
const line = (total: bigint) => ({ avg10: 0, avg60: 0, avg300: 0, total });
const psi = { some: line(5_000_000n), full: line(2_500_000n) };

describe("figures", () => {
  it("have as many labels as their descriptors", () => {
    const memory = { cache: 1n, usage: counter, swap: counter, kernel: counter, kernelTCP: counter, raw: new Map() };
    const entry = { major: 8n, minor: 0n, op: "Read", value: 7n };
    const blkio = { serviceBytes: [entry], serviced: [entry], psi } as unknown as CgroupStats["blkio"];
    const stats = { cpu: { psi }, memory: { psi }, blkio } as unknown as CgroupStats;
    const all: readonly Figure[] = [
      ...memoryFigures(memory),
      ...pressureFigures(stats),
      ...deviceFigures(blkio, () => "/dev/sda"),
    ];
    for (const [name, , ...own] of all) expect(own.length + 5, name).toBe(labels.get(name));
    expect(pressureFigures(stats)).toContainEqual(["container_pressure_io_waiting_seconds_total", 5n]);
    expect(pressureFigures(stats)).toContainEqual(["container_pressure_cpu_stalled_seconds_total", 2n]);
    expect(deviceFigures(blkio, () => "/dev/sda")).toStrictEqual([
      ["container_fs_reads_bytes_total", 7n, "/dev/sda"],
      ["container_fs_reads_total", 7n, "/dev/sda"],
      ["container_blkio_device_usage_total", 7n, "/dev/sda", "8", "0", "Read"],
    ]);
  });
});
