/** The service `sampan.v1.System`. */
import type { ServiceImpl } from "@connectrpc/connect";
import type { System } from "../gen/sampan/v1/system_pb.ts";
import type { ApiContext } from "./context.ts";

export function systemService(context: ApiContext): ServiceImpl<typeof System> {
  return {
    version() {
      return { version: context.version, api: "sampan.v1", node: process.version.slice(1) };
    },

    info() {
      const { engine, root, state, startedAt } = context;
      const containers = engine.list();
      return {
        root,
        state,
        startedAt,
        pid: process.pid,
        containers: containers.length,
        containersRunning: containers.filter(({ status }) => status === "running").length,
        images: engine.images().length,
        host: JSON.parse(JSON.stringify(engine.facts, plainValue)),
      };
    },
  };
}

/** Maps and sets of the host's facts as JSON has them. */
function plainValue(_: string, value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Set) return [...value];
  return typeof value === "bigint" ? Number(value) : value;
}
