/** The files of a container, as it sees them or as they are stored. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { failedPrecondition } from "#errdefs";
import type { FileTree } from "#keel";
import { sharesSandbox, type Operation } from "#plan";
import type { RootSource } from "#snapshots";
import { asChainId, type EngineCore } from "../core.ts";
import type { ContainerRecord } from "../records.ts";

const cloneNewNs = 0x0002_0000n;
/** MS_SLAVE of mount(2). */
const slave = 1n << 19n;
/** MOUNT_ATTR_RDONLY of mount_setattr(2). */
const readOnly = 1n;

/** A container that stays as it is, running or not, while something is done with its files. */
export interface HeldContainer extends Disposable {
  readonly record: ContainerRecord;
  /** Its process, when it runs. */
  readonly pid: number | undefined;
}

/**
 * Keeps a container that does not run from being started or removed meanwhile. One that runs may end: whoever has its mount
 * namespace open keeps its files.
 *
 * @throws SampanError `failed-precondition` while another process works on it; `not-found` when it is gone
 */
export function holdContainer(core: EngineCore, record: ContainerRecord): HeldContainer {
  // The mounts of what runs in a sandbox are not of this kernel; its root and its volumes are.
  if (record.resolved.handler !== undefined && sharesSandbox(record.resolved.handler)) {
    core.records.claim(record.id, "use");
    return { record, pid: undefined, [Symbol.dispose]: () => core.records.release(record.id) };
  }
  const pid = runningPid(core, record.id);
  if (pid !== undefined) return { record, pid, [Symbol.dispose]: () => undefined };
  core.records.claim(record.id, "use");
  const started = runningPid(core, record.id);
  if (started !== undefined) {
    core.records.release(record.id);
    return { record, pid: started, [Symbol.dispose]: () => undefined };
  }
  return { record, pid: undefined, [Symbol.dispose]: () => core.records.release(record.id) };
}

function runningPid(core: EngineCore, id: string): number | undefined {
  const state = core.runtime.state(id);
  return state.status === "running" || state.status === "created" ? state.pid : undefined;
}

/** What a container's files are opened for. */
export type Purpose =
  /** Its root alone, without volumes and what else is mounted in it; not to be changed. */
  | "root"
  /** All that it sees. */
  | "all";

/** Opens the files of a container as it sees them. */
export async function openContainerTree(core: EngineCore, held: HeldContainer, purpose: Purpose): Promise<FileTree> {
  const { record, pid } = held;
  if (pid === undefined)
    return core.executor.openTree({ mounts: true, program: await assembled(core, record, purpose) });
  const program: Operation[] = [{ op: "join-namespace", kind: cloneNewNs, path: `/proc/${pid}/ns/mnt` }];
  if (purpose === "root") program.push({ op: "root-alone", readOnly: true });
  const tree = await core.executor.openTree({ mounts: false, program });
  // As long as it runs the number is its own, and so was the namespace.
  if (runningPid(core, record.id) === pid) return tree;
  await tree[Symbol.asyncDispose]();
  throw failedPrecondition(`Cannot use the files of container "${record.name}": it has ended meanwhile`, {
    remedy: "Try again",
  });
}

/** A container that does not run has no mounts: they are made where nobody else sees them. */
async function assembled(core: EngineCore, record: ContainerRecord, purpose: Purpose): Promise<readonly Operation[]> {
  const { root } = core.planOptions(record, await core.snapshotter.mounts(record.id));
  const program: Operation[] = [{ op: "propagation", mode: slave, recursive: true }];
  if (root.kind === "overlay") {
    const { lower, upper, work, target, parameters = [] } = root;
    program.push({ op: "root-overlay", lower, upper, work, parameters, target });
  } else program.push({ op: "root-bind", path: root.path, recursive: false });
  if (purpose === "all") {
    program.push(...binds(core, record));
    for (const [target, { lower, subpath }] of await core.imageMounts(record))
      program.push({ op: "mount-layers", lower, subpath, target, attributes: readOnly });
  }
  if (purpose === "root" || record.options.readOnly === true)
    program.push({ op: "mount-attributes", path: "/", set: readOnly, clear: 0n, recursive: false });
  return program;
}

/** Volumes and binds. What the next start makes anew, such as a tmpfs, has nothing in it. */
function binds(core: EngineCore, record: ContainerRecord): Operation[] {
  const mounts = [
    ...(record.options.mounts ?? [])
      .filter(({ type }) => type === "bind")
      .map((m) => ({
        source: m.source ?? "",
        target: m.target,
        fixed: m.readOnly === true,
        all: m.nonRecursive !== true,
      })),
    ...record.resolved.volumes.map((v) => ({
      source: core.volumeDirectory(v.name),
      target: v.target,
      fixed: v.readOnly,
      all: true,
    })),
  ];
  const depth = (path: string): number => path.split("/").length;
  return mounts
    .filter(({ source }) => existsSync(source))
    .sort((a, b) => depth(a.target) - depth(b.target))
    .map(({ source, target, fixed, all }) => ({
      op: "bind",
      source,
      target,
      recursive: all,
      set: fixed ? readOnly : 0n,
      clear: 0n,
      setRecursive: 0n,
      clearRecursive: 0n,
      propagation: slave,
      propagationRecursive: all,
    }));
}

/** What a container has written, on top of what it was made from. */
export interface ContainerLayers extends AsyncDisposable {
  /** `overlay`: only what is another than below, as overlayfs notes it; `copy`: everything. */
  readonly kind: "overlay" | "copy";
  readonly upper: FileTree;
  readonly below: FileTree;
}

/** @param freeze cgroup to be stopped until the layers are closed */
export async function openLayers(
  core: EngineCore,
  { record }: HeldContainer,
  freeze?: string,
): Promise<ContainerLayers> {
  const source = await core.snapshotter.mounts(record.id);
  const path = source.kind === "overlay" ? source.upper : source.path;
  const stop: Operation[] = freeze === undefined ? [] : [{ op: "freeze", path: freeze, frozen: true }];
  const below = await core.executor.openTree({ mounts: true, program: await belowProgram(core, record, source) });
  try {
    const upper = await core.executor.openTree({ mounts: false, program: [...stop, { op: "root-directory", path }] });
    return {
      kind: source.kind === "overlay" ? "overlay" : "copy",
      upper,
      below,
      [Symbol.asyncDispose]: async () => {
        await upper[Symbol.asyncDispose]();
        await below[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await below[Symbol.asyncDispose]();
    throw error;
  }
}

/** The image, with the places that every container has things mounted on. */
async function belowProgram(core: EngineCore, record: ContainerRecord, source: RootSource): Promise<Operation[]> {
  if (source.kind === "overlay") {
    const { root } = core.planOptions(record, source);
    const lower = root.kind === "overlay" ? root.lower : source.lower;
    const mount = { lower, upper: "", work: "", parameters: [], target: core.rootTarget() };
    return [
      { op: "propagation", mode: slave, recursive: true },
      { op: "root-overlay", ...mount },
    ];
  }
  const { chainId } = record.resolved;
  const view = chainId === undefined ? undefined : await core.snapshotter.view(asChainId(chainId));
  const path = view?.kind === "directory" ? view.path : join(core.paths.root, "mount-points");
  return [{ op: "root-directory", path }];
}
