/** Overlayfs where the file system of the root directory takes it as an upper layer, and plain copies where not. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isSampanError } from "#errdefs";
import type { Executor } from "#keel";
import { keepReserve } from "./housekeeping/reserve.ts";
import { NativeSnapshotter, OverlaySnapshotter, type Snapshotter } from "#snapshots";

type Kind = "overlay" | "native";

const cloneNewNs = 0x0002_0000n;
const msSlave = 1n << 19n;
/** ENODEV, EINVAL, ENOSYS, EREMOTE, EOPNOTSUPP: this kernel or file system cannot do it. */
const refusals: ReadonlySet<number> = new Set([19, 22, 38, 66, 95]);

/** Asks the kernel the first time, and keeps the answer in `snapshots/kind`: layers are made for one or the other. */
export async function chooseSnapshotter(root: string, executor: Executor): Promise<Snapshotter> {
  const directory = join(root, "snapshots");
  const kind = readKind(directory) ?? (await decide(root, directory, executor));
  return kind === "native" ? new NativeSnapshotter(directory, executor) : new OverlaySnapshotter(directory, executor);
}

function readKind(directory: string): Kind | undefined {
  try {
    const text = readFileSync(join(directory, "kind"), "utf8").trim();
    return text === "overlay" || text === "native" ? text : undefined;
  } catch {
    return undefined;
  }
}

async function decide(root: string, directory: string, executor: Executor): Promise<Kind> {
  // Before there was a choice, layers were overlayfs'.
  const kind = hasLayers(directory) || (await takesOverlay(directory, executor)) ? "overlay" : "native";
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileSync(join(directory, "kind"), `${kind}\n`, { mode: 0o600 });
  keepReserve(root);
  return kind;
}

function hasLayers(directory: string): boolean {
  try {
    return readdirSync(join(directory, "layers")).length > 0;
  } catch {
    return false;
  }
}

/** Mounts an overlay in a mount namespace of its own, which goes with the process. */
async function takesOverlay(directory: string, executor: Executor): Promise<boolean> {
  // Another process may be probing, too.
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const probe = mkdtempSync(join(directory, "probe-"));
  const at = (name: string): string => join(probe, name);
  for (const name of ["lower", "upper", "work", "target"]) mkdirSync(at(name), { recursive: true, mode: 0o700 });
  try {
    await executor.execute([
      { op: "clone", namespaces: cloneNewNs, cgroup: "" },
      { op: "propagation", mode: msSlave, recursive: true },
      {
        op: "root-overlay",
        lower: [at("lower")],
        upper: at("upper"),
        work: at("work"),
        parameters: [],
        target: at("target"),
      },
    ]);
    return true;
  } catch (error) {
    if (!isSampanError(error) || !refusals.has(error.fields.errno ?? 0)) throw error;
    return false;
  } finally {
    await executor.execute([{ op: "remove-tree", path: probe }]).catch(() => undefined);
  }
}
