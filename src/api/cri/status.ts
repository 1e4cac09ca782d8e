/** The status of the runtime, what it can do, and what it is configured to be. */
import { isIP } from "node:net";
import type { CriContext } from "./context.ts";
import { CgroupDriver } from "./gen/runtime/v1/runtime_pb.ts";
import { handlerNames } from "./handlers.ts";
import { refuse } from "./refuse.ts";
import { networkProblem } from "./pods/network.ts";
import type { RuntimePart } from "./service.ts";

/** Recursive read-only mounts need mount_setattr(2) of Linux 5.12, without which nothing works here. */
const handlerFeatures = { recursiveReadOnlyMounts: true, userNamespaces: false };

export function statusService(context: CriContext): RuntimePart {
  const { engine, cgroupDriver, streaming, version, startedAt } = context;
  /** As the kubelet has told it; containers get their addresses elsewhere. */
  let podCidr = "";
  return {
    async status({ verbose }) {
      const problem = await networkProblem(context);
      return {
        status: {
          conditions: [
            { type: "RuntimeReady", status: true },
            {
              type: "NetworkReady",
              status: problem === undefined,
              ...(problem !== undefined && { reason: "NetworkPluginNotReady", message: problem }),
            },
          ],
        },
        runtimeHandlers: (await handlerNames(context.engine)).map((name) => ({ name, features: handlerFeatures })),
        features: { supplementalGroupsPolicy: true, userNamespacesHostNetwork: false, mountOptions: true },
        info: verbose ? { config: JSON.stringify(details()), pulls: JSON.stringify(context.pulls.describe()) } : {},
      };
    },

    runtimeConfig() {
      return {
        linux: { cgroupDriver: cgroupDriver === "systemd" ? CgroupDriver.SYSTEMD : CgroupDriver.CGROUPFS },
      };
    },

    updateRuntimeConfig({ runtimeConfig }) {
      const given = runtimeConfig?.networkConfig?.podCidr ?? "";
      for (const prefix of given === "" ? [] : given.split(",")) checkPrefix(prefix.trim());
      podCidr = given;
      return {};
    },
  };

  function details(): object {
    const { kernel, architecture, cgroup, seccomp } = engine.facts;
    return {
      version,
      startedAt: new Date(startedAt).toISOString(),
      kernel,
      architecture,
      cgroupVersion: cgroup.version,
      cgroupDriver,
      seccomp,
      streamingAddress: streaming.address,
      podCidr,
      pods: context.pods.list().length,
      containers: context.containers.list().length,
    };
  }
}

function checkPrefix(prefix: string): void {
  const [, address = "", length = ""] = /^([^/]+)\/(\d{1,3})$/.exec(prefix) ?? [];
  const family = isIP(address);
  if (family === 0 || Number(length) > (family === 4 ? 32 : 128))
    refuse(
      "update the runtime's configuration",
      "runtime_config.network_config.pod_cidr",
      `has ${JSON.stringify(prefix.slice(0, 80))}, which is no prefix`,
    );
}
