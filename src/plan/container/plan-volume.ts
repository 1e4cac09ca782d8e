import { invalidArgument } from "#errdefs";
import type { Operation } from "../operation.gen.ts";
import type { Program, Step } from "../plan.ts";
import { readMountWords } from "./mount-words.ts";

/** What a volume of the local driver is a mount of; Docker's `type`, `device` and `o`. */
export interface VolumeMount {
  /** Filesystem type; empty or `none` with a bind. */
  readonly type: string;
  readonly device: string;
  /** Mount options. */
  readonly options: readonly string[];
  /** Absolute host directory, which exists. */
  readonly target: string;
}

/**
 * Compiles the mount of a volume on the host.
 *
 * @throws SampanError `invalid-argument` for options that can't be
 */
export function planVolumeMount({ type, device, options, target }: VolumeMount): Program {
  const words = readMountWords(options, target);
  const why = "The volume is this filesystem, for all containers that use it";
  const root: Step = {
    operation: { op: "root-directory", path: "/" },
    why: "Volumes are mounted on the host",
    source: "mount(2)",
  };
  const bind = words.bind || type === "bind";
  if (bind) {
    if (!device.startsWith("/"))
      throw invalidArgument(`Cannot bind volume to "${device}": device is not an absolute path`);
    if (words.own !== undefined)
      throw invalidArgument(`Cannot bind volume: option "${words.own}" is one of filesystems, not of binds`);
  } else if (type === "" || type === "none")
    throw invalidArgument("Cannot mount volume: it needs an option type, or o=bind");
  if (words.switches.size > 0 || words.idMap !== undefined)
    throw invalidArgument(
      `Cannot mount volume with options "${options.join(",")}": one of them is for containers only`,
    );
  const operation: Operation = bind
    ? {
        op: "bind",
        source: device,
        target,
        recursive: words.bindRecursive || !words.bind,
        set: words.set,
        clear: words.clear,
        setRecursive: words.setRecursive,
        clearRecursive: words.clearRecursive,
        propagation: words.propagation,
        propagationRecursive: words.propagationRecursive,
      }
    : {
        op: "mount",
        type,
        source: device === "" ? type : device,
        target,
        attributes: words.set | words.setRecursive,
        parameters: words.parameters,
        mode: 0o755,
      };
  return { steps: [root, { operation, why, source: "mount(2)" }], warnings: [] };
}
