/** Devices of the host that a container is given: `--device`, and all of them for `--privileged`. */
import { lstatSync, readdirSync, statSync, type Stats } from "node:fs";
import { join } from "node:path";
import { invalidArgument, notFound } from "#errdefs";
import type { DeviceConfig, DeviceRule } from "#spec";
import type { DeviceOption } from "./options.ts";

export interface GivenDevices {
  readonly devices: readonly DeviceConfig[];
  readonly rules: readonly DeviceRule[];
}

/** The kernel's encoding of device numbers in stat (makedev(3)). */
export function deviceNumbers(rdev: number): { readonly major: number; readonly minor: number } {
  const value = BigInt(rdev);
  return {
    major: Number(((value >> 8n) & 0xfffn) | ((value >> 32n) & 0xffff_f000n)),
    minor: Number((value & 0xffn) | ((value >> 12n) & 0xffff_ff00n)),
  };
}

function describe(stats: Stats, path: string): DeviceConfig | undefined {
  if (!stats.isCharacterDevice() && !stats.isBlockDevice()) return undefined;
  return {
    path,
    type: stats.isCharacterDevice() ? "c" : "b",
    ...deviceNumbers(stats.rdev),
    fileMode: stats.mode & 0o777,
    uid: stats.uid,
    gid: stats.gid,
  };
}

/** Throws `not-found` or `invalid-argument` for a path that is no device. */
export function givenDevices(options: readonly DeviceOption[]): GivenDevices {
  const devices: DeviceConfig[] = [];
  const rules: DeviceRule[] = [];
  const add = (device: DeviceConfig, access: string): void => {
    devices.push(device);
    rules.push({
      allow: true,
      type: device.type === "b" ? "b" : "c",
      major: device.major,
      minor: device.minor,
      access,
    });
  };
  for (const { hostPath, path, permissions } of options) {
    const stats = statSync(hostPath, { throwIfNoEntry: false });
    if (stats === undefined) throw notFound(`Cannot give device "${hostPath}": the host has none`, { path: hostPath });
    const access = ["r", "w", "m"].filter((c) => permissions.includes(c)).join("");
    if (stats.isDirectory()) {
      for (const found of devicesBelow(hostPath, path)) add(found, access);
      continue;
    }
    const device = describe(stats, path);
    if (device === undefined) throw invalidArgument(`Cannot give device "${hostPath}": it is none`, { path: hostPath });
    add(device, access);
  }
  return { devices, rules };
}

/** What a container makes for itself, and never takes from the host. */
const ownDevices = new Set([
  "pts",
  "shm",
  "mqueue",
  "fd",
  "stdin",
  "stdout",
  "stderr",
  "console",
  "ptmx",
  "core",
  "hugepages",
  ".udev",
]);

/** All devices of the host's /dev, for `--privileged`. */
export function allDevices(): readonly DeviceConfig[] {
  return readdirSync("/dev")
    .filter((name) => !ownDevices.has(name))
    .flatMap((name) => {
      const path = join("/dev", name);
      const stats = lstatSync(path, { throwIfNoEntry: false });
      if (stats === undefined) return [];
      if (stats.isDirectory()) return devicesBelow(path, path);
      return describe(stats, path) ?? [];
    });
}

function devicesBelow(hostPath: string, path: string): DeviceConfig[] {
  return readdirSync(hostPath, { withFileTypes: true }).flatMap((entry) => {
    const inside = join(path, entry.name);
    const outside = join(hostPath, entry.name);
    if (entry.isDirectory()) return devicesBelow(outside, inside);
    const stats = lstatSync(outside, { throwIfNoEntry: false });
    return (stats === undefined ? undefined : describe(stats, inside)) ?? [];
  });
}
