/** What ContainerStatus tells beyond the fields of the CRI: JSON by name, as containerd has it. */
import { toJson } from "@bufbuild/protobuf";
import { ContainerConfigSchema } from "../gen/runtime/v1/containers_pb.ts";
import type { CriContainer } from "./book.ts";
import { courseOf } from "./state.ts";

export function verboseInfo(found: CriContainer): Record<string, string> {
  const { podId, container, config } = found;
  const { record } = container;
  const info = {
    sandboxID: podId,
    pid: courseOf(found).pid,
    removing: false,
    snapshotKey: record.id,
    snapshotter: "overlayfs",
    runtimeType: record.resolved.handler?.name ?? "sampan",
    stateDirectory: container.stateDirectory,
    config: toJson(ContainerConfigSchema, config),
    runtimeSpec: container.runtimeConfig(),
  };
  return { info: JSON.stringify(info, plain) };
}

/** The runtime-spec's maps are objects, and its numbers numbers. */
function plain(_: string, value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value);
  return typeof value === "bigint" ? Number(value) : value;
}
