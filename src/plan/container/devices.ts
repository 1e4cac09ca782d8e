import type { DeviceConfig } from "#spec";
import { absolutePath } from "./paths.ts";
import type { StepList } from "./step-list.ts";

const source = "runtime-spec config-linux.md#default-devices";
const character = 0o020_000;
const types: Readonly<Record<DeviceConfig["type"], number>> = {
  c: character,
  u: character,
  b: 0o060_000,
  p: 0o010_000,
};

const defaultDevice = (path: string, major: number, minor: number): DeviceConfig => ({
  path,
  type: "c",
  major,
  minor,
  fileMode: 0o666,
  uid: 0,
  gid: 0,
});

/** The device files that every container has. */
const defaultDevices: readonly DeviceConfig[] = [
  defaultDevice("/dev/null", 1, 3),
  defaultDevice("/dev/zero", 1, 5),
  defaultDevice("/dev/full", 1, 7),
  defaultDevice("/dev/random", 1, 8),
  defaultDevice("/dev/urandom", 1, 9),
  defaultDevice("/dev/tty", 5, 0),
];

const links: readonly (readonly [path: string, target: string, why: string])[] = [
  ["/dev/fd", "/proc/self/fd", "Programs open their own descriptors by this name"],
  ["/dev/stdin", "/proc/self/fd/0", "Programs open their standard input by this name"],
  ["/dev/stdout", "/proc/self/fd/1", "Programs open their standard output by this name"],
  ["/dev/stderr", "/proc/self/fd/2", "Programs open their standard error by this name"],
  ["/dev/core", "/proc/kcore", "Debuggers look for memory here; in a container it is hidden"],
  ["/dev/ptmx", "pts/ptmx", "New terminals come from the container's own devpts"],
];

/**
 * Adds the default devices, those of the config, and the usual links.
 *
 * @param bind bind the host's devices, because a user namespace may make none
 */
export function addDevices(list: StepList, extra: readonly DeviceConfig[], bind: boolean): void {
  const devices = new Map(defaultDevices.map((device) => [device.path, device]));
  for (const device of extra) devices.set(absolutePath(device.path, "make device"), device);
  // This one is always the container's own.
  devices.delete("/dev/ptmx");
  const directories = new Set(["/dev", ""]);
  for (const [path, device] of devices) {
    const parent = path.slice(0, path.lastIndexOf("/"));
    if (!directories.has(parent)) {
      directories.add(parent);
      list.add(
        { op: "directory", path: parent, mode: 0o755, uid: 0, gid: 0 },
        "A device file of the config goes here",
        "runtime-spec config-linux.md#devices",
      );
    }
    addDevice(list, path, device, bind && device.type !== "p");
  }
  for (const [path, target, why] of links) list.add({ op: "symlink", target, path }, why, source);
}

function addDevice(list: StepList, path: string, device: DeviceConfig, bind: boolean): void {
  if (bind) {
    list.add(
      {
        op: "bind",
        source: path,
        target: path,
        recursive: false,
        set: 0n,
        clear: 0n,
        setRecursive: 0n,
        clearRecursive: 0n,
        propagation: 0n,
        propagationRecursive: false,
      },
      "A user namespace may make no device files, so the host's is shared",
      "user_namespaces(7)",
    );
    return;
  }
  list.add(
    {
      op: "device",
      path,
      mode: types[device.type] | (device.fileMode ?? 0o666),
      major: device.major,
      minor: device.minor,
      uid: device.uid ?? 0,
      gid: device.gid ?? 0,
    },
    "Programs expect this device file",
    source,
  );
}
