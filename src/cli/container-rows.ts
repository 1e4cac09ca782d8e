/** Rows of `ps`: fields by Docker's names. */
import { describePorts } from "./ports.ts";
import { humanDuration, humanSize, type ContainerSummary } from "#engine";
import type { Listing, Row } from "./format/print-rows.ts";
import { describeStatus } from "./status.ts";

export interface RowOptions {
  /** Ids, commands and mounts in full. */
  readonly full: boolean;
  readonly now: number;
  readonly size: { readonly written: number; readonly total: number } | undefined;
}

export const containerListing = (size: boolean): Listing => ({
  headers: {
    ID: "CONTAINER ID",
    Image: "IMAGE",
    Command: "COMMAND",
    CreatedAt: "CREATED AT",
    RunningFor: "CREATED",
    Ports: "PORTS",
    State: "STATE",
    Status: "STATUS",
    Size: "SIZE",
    Names: "NAMES",
    Labels: "LABELS",
    Mounts: "MOUNTS",
    Networks: "NETWORKS",
    LocalVolumes: "LOCAL VOLUMES",
    Platform: "PLATFORM",
  },
  columns: ["ID", "Image", "Command", "RunningFor", "Status", "Ports", "Names", ...(size ? ["Size"] : [])],
});

export function containerRow(c: ContainerSummary, { full, now, size }: RowOptions): Row {
  const cut = (text: string, length: number): string =>
    full || text.length <= length ? text : `${text.slice(0, length - 1)}…`;
  return {
    ID: full ? c.id : c.id.slice(0, 12),
    Image: c.image,
    Command: `"${cut(c.command.join(" "), 20)}"`,
    CreatedAt: new Date(c.createdAt).toISOString(),
    RunningFor: `${humanDuration(now - c.createdAt)} ago`,
    Ports: describePorts(c.ports, c.status === "running" ? c.exposed : []),
    State: c.status,
    Status: describeStatus(c, now, humanDuration),
    ...(size !== undefined && { Size: `${humanSize(size.written)} (virtual ${humanSize(size.total)})` }),
    Names: c.name,
    Labels: Object.entries(c.labels)
      .map(([name, value]) => `${name}=${value}`)
      .toSorted()
      .join(","),
    Mounts: c.mounts.map((m) => cut(m.name ?? m.source, 15)).join(","),
    LocalVolumes: c.mounts.filter((m) => m.name !== undefined).length,
    Networks: c.networks.join(","),
    Label: (name: unknown) => (Object.hasOwn(c.labels, String(name)) ? c.labels[String(name)] : ""),
  };
}
