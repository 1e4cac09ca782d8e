import { invalidArgument, isSampanError } from "#errdefs";
import type { Operation } from "#plan";
import type { EngineCore } from "./core.ts";
import type { ContainerRecord } from "./records.ts";

const cloneNewNs = 0x0002_0000n;
/** MS_SLAVE of mount(2). */
const slave = 1n << 19n;

/**
 * Mounts the parts of images that a container is to have where nobody sees it: what is not in them is told now, and not when the
 * container starts.
 *
 * @throws SampanError `invalid-argument`
 */
export async function checkImageMounts(core: EngineCore, record: ContainerRecord): Promise<void> {
  const mounts = [...(await core.imageMounts(record))].filter(([, { subpath }]) => subpath !== "");
  for (const [target, { lower, subpath }] of mounts) {
    const program: readonly Operation[] = [
      { op: "clone", namespaces: cloneNewNs, cgroup: "" },
      { op: "propagation", mode: slave, recursive: true },
      { op: "root-directory", path: "/" },
      { op: "mount-layers", lower, subpath, target: core.rootTarget(), attributes: 1n },
    ];
    try {
      await core.executor.execute(program);
    } catch (error) {
      // A file can't be mounted on the directory that is tried here, but it is there.
      if (isSampanError(error) && error.fields.syscall === "move_mount") continue;
      throw invalidArgument(`Cannot mount "${subpath}" of an image on "${target}": the image has no such path`, {
        cause: error,
        path: subpath,
      });
    }
  }
}
