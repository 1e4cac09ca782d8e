import type { DiskUsage } from "#engine";
import { command } from "../command.ts";
import { openEngine } from "../open.ts";

export const systemDf = command(
  {
    name: "system df",
    summary: "Show what images, containers and volumes take on disk",
    usage: "",
    positionals: [0, 0],
    options: {
      format: { type: "string", value: "FORMAT", help: "json, table, or a template such as '{{.Type}} {{.Size}}'" },
      verbose: { type: "boolean", short: "v", help: "each image, layer, container and volume" },
    },
    examples: ["sampan system df", "sampan system df -v"],
  },
  async (values, _, globals) => {
    const { rowPrinter } = await import("../format/print-rows.ts");
    const print = rowPrinter(values.format, {
      headers: { Type: "TYPE", TotalCount: "TOTAL", Active: "ACTIVE", Size: "SIZE", Reclaimable: "RECLAIMABLE" },
      columns: ["Type", "TotalCount", "Active", "Size", "Reclaimable"],
    });
    const { humanSize } = await import("#engine");
    await using engine = await openEngine(globals);
    const usage = await engine.housekeeping.diskUsage();
    if (values.verbose === true) await printAll(usage, values.format);
    else process.stdout.write(print(summary(usage, humanSize)));
    return 0;
  },
);

function summary(usage: DiskUsage, human: (bytes: number) => string): readonly Readonly<Record<string, unknown>>[] {
  const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);
  const { images, imageBytes, containers, volumes, cache, garbage } = usage;
  const containerBytes = (list: DiskUsage["containers"]): number => sum(list.map((c) => c.layer.bytes + c.files));
  const volumeBytes = (list: DiskUsage["volumes"]): number => sum(list.map((v) => v.usage.bytes));
  const row = (type: string, total: number, active: number, size: number, free: number) => ({
    Type: type,
    TotalCount: total,
    Active: active,
    Size: human(size),
    Reclaimable: size === 0 ? human(free) : `${human(free)} (${Math.round((free / size) * 100)}%)`,
  });
  const running = containers.filter((c) => c.running);
  const inUse = volumes.filter((v) => v.containers.length > 0);
  const active = images.filter((i) => i.users.length > 0).length;
  return [
    row("Images", images.length, active, imageBytes.total, imageBytes.reclaimable),
    row(
      "Containers",
      containers.length,
      running.length,
      containerBytes(containers),
      containerBytes(containers) - containerBytes(running),
    ),
    row("Volumes", volumes.length, inUse.length, volumeBytes(volumes), volumeBytes(volumes) - volumeBytes(inUse)),
    row("Cache", cache.inodes, 0, cache.bytes, cache.bytes),
    row("Unneeded", garbage.count, 0, garbage.bytes, garbage.bytes),
  ];
}

async function printAll(usage: DiskUsage, format: string | undefined): Promise<void> {
  if (format === "json") {
    process.stdout.write(`${JSON.stringify(usage)}\n`);
    return;
  }
  const { humanDuration, humanSize, splitName } = await import("#engine");
  const { printTable } = await import("../table.ts");
  const now = Date.now();
  const heading = (text: string): void => void process.stdout.write(`\n${text}\n\n`);
  process.stdout.write("Images\n\n");
  printTable(
    ["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE", "SHARED", "UNIQUE", "INODES", "USERS", "PINNED"],
    usage.images.flatMap((image) => {
      const created = Date.parse(image.created);
      return (image.names.length === 0 ? [undefined] : image.names).map((name) => {
        const { repository, tag } = splitName(name);
        return [
          repository,
          tag,
          image.id.slice(7, 19),
          Number.isNaN(created) || created <= 0 ? "N/A" : `${humanDuration(now - created)} ago`,
          humanSize(image.unique.bytes + image.shared.bytes),
          humanSize(image.shared.bytes),
          humanSize(image.unique.bytes),
          String(image.unique.inodes + image.shared.inodes),
          String(image.users.length),
          image.pinned ? "yes" : "no",
        ];
      });
    }),
  );
  heading("Layers of all namespaces");
  printTable(
    ["LAYER", "IMAGES", "SIZE", "INODES"],
    usage.layers
      .toSorted((a, b) => b.usage.bytes - a.usage.bytes)
      .map((l) => [l.key.slice(7, 19), String(l.images), humanSize(l.usage.bytes), String(l.usage.inodes)]),
  );
  heading("Containers");
  printTable(
    ["CONTAINER ID", "IMAGE", "SIZE", "INODES", "LOG AND FILES", "CREATED", "RUNNING", "NAMES"],
    usage.containers.map((c) => [
      c.id.slice(0, 12),
      c.image,
      humanSize(c.layer.bytes),
      String(c.layer.inodes),
      humanSize(c.files),
      `${humanDuration(now - c.createdAt)} ago`,
      c.running ? "yes" : "no",
      c.name,
    ]),
  );
  heading("Volumes");
  printTable(
    ["VOLUME NAME", "CONTAINERS", "SIZE", "INODES"],
    usage.volumes.map((v) => [v.name, String(v.containers.length), humanSize(v.usage.bytes), String(v.usage.inodes)]),
  );
  heading(
    `Cache: ${humanSize(usage.cache.bytes)}. Blobs, layers and partial downloads that nothing needs: ${usage.garbage.count}, ${humanSize(usage.garbage.bytes)}`,
  );
}
