import { readFileSync } from "node:fs";
import type { OciContainer } from "#runtime";

/** The state as runtime-spec runtime.md#state has it, with what runc adds: rootfs, created, owner. */
export interface ContainerJson {
  readonly ociVersion: string;
  readonly id: string;
  readonly pid: number;
  readonly status: string;
  readonly bundle: string;
  readonly rootfs: string;
  readonly created: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly owner: string;
}

export function describeContainer({ id, record, state }: OciContainer): ContainerJson {
  return {
    ociVersion: record.ociVersion,
    id,
    pid: state.pid,
    status: state.status,
    bundle: record.bundle,
    rootfs: record.rootfs,
    created: record.created,
    ...(Object.keys(record.annotations).length > 0 && { annotations: record.annotations }),
    owner: "",
  };
}

/** Name of a user of this host; its number where it has none. */
export function userName(uid: number): string {
  try {
    for (const line of readFileSync("/etc/passwd", "utf8").split("\n")) {
      const [name, , id] = line.split(":");
      if (id === String(uid) && name !== undefined) return name;
    }
  } catch {
    // a host without accounts
  }
  return `#${uid}`;
}
