import type { CriContext } from "./context.ts";
import type { RuntimePart } from "./service.ts";

/** Of the kubelet's own interface to runtimes: older kubelets start with no other. */
const kubeletApiVersion = "0.1.0";

export function versionService({ version }: CriContext): RuntimePart {
  return {
    version() {
      return {
        version: kubeletApiVersion,
        runtimeName: "sampan",
        runtimeVersion: version,
        runtimeApiVersion: "v1",
      };
    },
  };
}
