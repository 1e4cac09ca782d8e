/** What devices of the CDI change of a container's configuration. */
import type { DeviceConfig, DeviceRule, MountConfig, RuntimeConfig } from "#spec";
import type { CdiDeviceNode, CdiEdits } from "./types.ts";

export function applyCdi(config: RuntimeConfig, edits: CdiEdits): RuntimeConfig {
  const { process, linux, hooks } = config;
  if (process === undefined) return config;
  const { user } = process;
  const nodes = edits.deviceNodes.map((node) => deviceOf(node, user));
  const paths = new Set(nodes.map(({ path }) => path));
  const of = (name: CdiEdits["hooks"][number]["hookName"]) =>
    edits.hooks
      .filter(({ hookName }) => hookName === name)
      .map(({ path, args, env, timeout }) => ({ path, args, env, ...(timeout !== undefined && { timeout }) }));
  const added = edits.additionalGids.filter((gid) => gid !== 0);
  const resources = linux.resources;
  return {
    ...config,
    process: {
      ...process,
      env: [...process.env, ...edits.env],
      user: { ...user, additionalGids: [...new Set([...user.additionalGids, ...added])] },
    },
    mounts: [...config.mounts, ...edits.mounts.map(mountOf).toSorted((a, b) => depth(a) - depth(b))],
    hooks: {
      ...hooks,
      prestart: [...hooks.prestart, ...of("prestart")],
      createRuntime: [...hooks.createRuntime, ...of("createRuntime")],
      createContainer: [...hooks.createContainer, ...of("createContainer")],
      startContainer: [...hooks.startContainer, ...of("startContainer")],
    },
    linux: {
      ...linux,
      devices: [...linux.devices.filter(({ path }) => !paths.has(path)), ...nodes],
      ...(resources !== undefined && {
        resources: { ...resources, devices: [...resources.devices, ...edits.deviceNodes.flatMap(ruleOf)] },
      }),
      ...(edits.intelRdt !== undefined && { intelRdt: edits.intelRdt }),
      ...(edits.netDevices.length > 0 && {
        netDevices: new Map([
          ...(linux.netDevices ?? []),
          ...edits.netDevices.map(({ hostInterfaceName, name }) => [hostInterfaceName, { name }] as const),
        ]),
      }),
    },
  };
}

const depth = ({ destination }: MountConfig): number => destination.split("/").length;

const mountOf = ({ hostPath, containerPath, type, options }: CdiEdits["mounts"][number]): MountConfig => ({
  destination: containerPath,
  type,
  source: hostPath,
  options: type === "bind" && !options.some((o) => o === "bind" || o === "rbind") ? ["rbind", ...options] : options,
  uidMappings: [],
  gidMappings: [],
});

/** Whose it is when nobody says: the container's user. */
function deviceOf(node: CdiDeviceNode, user: { readonly uid: number; readonly gid: number }): DeviceConfig {
  const { path, type = "c", major = 0, minor = 0, fileMode, uid = user.uid, gid = user.gid } = node;
  return { path, type, major, minor, uid, gid, ...(fileMode !== undefined && { fileMode }) };
}

/** FIFOs need none. */
function ruleOf({ type, major, minor, permissions }: CdiDeviceNode): DeviceRule[] {
  if (type === "p" || major === undefined || minor === undefined) return [];
  return [{ allow: true, type: type === "b" ? "b" : "c", major, minor, access: permissions }];
}
