import type { CriContext } from "./context.ts";
import { CgroupDriver } from "./gen/runtime/v1/runtime_pb.ts";
import type { RuntimePart } from "./service.ts";

/** The status of the runtime and what it is configured to be. */
export function statusService({ cgroupDriver }: CriContext): RuntimePart {
  return {
    status() {
      return {
        status: {
          conditions: [
            { type: "RuntimeReady", status: true },
            { type: "NetworkReady", status: true },
          ],
        },
      };
    },

    runtimeConfig() {
      return {
        linux: { cgroupDriver: cgroupDriver === "systemd" ? CgroupDriver.SYSTEMD : CgroupDriver.CGROUPFS },
      };
    },
  };
}
