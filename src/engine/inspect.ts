/** What `inspect` shows of a container, in Docker's shape. */
import type { RuntimeState } from "#runtime";
import type { EngineCore } from "./core.ts";
import type { ContainerRecord } from "./records.ts";
import { lostStatus } from "#runtime";

export type ContainerStatus = "created" | "running" | "exited";

export interface ContainerDetails {
  readonly Id: string;
  readonly Name: string;
  readonly Created: string;
  readonly Path: string;
  readonly Args: readonly string[];
  readonly State: {
    readonly Status: ContainerStatus;
    readonly Running: boolean;
    readonly OOMKilled: boolean;
    readonly Pid: number;
    readonly ExitCode: number;
    readonly Error: string;
    readonly StartedAt: string;
    readonly FinishedAt: string;
  };
  /** Digest of the image's configuration. */
  readonly Image: string;
  readonly ResolvConfPath: string;
  readonly HostnamePath: string;
  readonly HostsPath: string;
  readonly LogPath: string;
  readonly HostConfig: Readonly<Record<string, unknown>>;
  readonly Mounts: readonly Readonly<Record<string, unknown>>[];
  readonly Config: Readonly<Record<string, unknown>>;
}

const never = "0001-01-01T00:00:00Z";

export function containerStatus(state: RuntimeState): ContainerStatus {
  if (state.status === "running") return "running";
  return state.status === "none" || state.status === "created" ? "created" : "exited";
}

export function inspectContainer(record: ContainerRecord, state: RuntimeState, core: EngineCore): ContainerDetails {
  const { options, resolved } = record;
  const directory = core.runtime.stateDirectory(record.id);
  const exit = state.status === "stopped" ? state.exit : state.status === "lost" ? lostStatus : undefined;
  const startedAt = "startedAt" in state ? state.startedAt : undefined;
  return {
    Id: record.id,
    Name: record.name,
    Created: new Date(record.createdAt).toISOString(),
    Path: resolved.args[0] ?? "",
    Args: resolved.args.slice(1),
    State: {
      Status: containerStatus(state),
      Running: state.status === "running",
      OOMKilled: exit?.oomKilled ?? false,
      Pid: state.status === "running" || state.status === "created" ? state.pid : 0,
      ExitCode: exit?.status ?? 0,
      Error: state.status === "lost" ? "its monitor was killed, or the host went down" : "",
      StartedAt: startedAt === undefined ? never : new Date(startedAt).toISOString(),
      FinishedAt: exit === undefined || exit.at === 0 ? never : new Date(exit.at).toISOString(),
    },
    Image: record.imageId,
    ResolvConfPath: `${directory}/resolv.conf`,
    HostnamePath: `${directory}/hostname`,
    HostsPath: `${directory}/hosts`,
    LogPath: core.logPath(record.id),
    HostConfig: {
      NetworkMode: options.network ?? "none",
      AutoRemove: options.autoRemove ?? false,
      Privileged: options.privileged ?? false,
      ReadonlyRootfs: options.readOnly ?? false,
      CapAdd: options.capAdd ?? [],
      CapDrop: options.capDrop ?? [],
      Memory: options.memory ?? 0,
      MemorySwap: options.memorySwap ?? 0,
      Cpus: options.cpus ?? 0,
      CpuShares: options.cpuShares ?? 0,
      CpusetCpus: options.cpusetCpus ?? "",
      PidsLimit: options.pidsLimit ?? 0,
      Ulimits: options.ulimits ?? [],
      Sysctls: options.sysctls ?? {},
      Devices: options.devices ?? [],
      Init: options.init ?? false,
      CgroupParent: core.cgroupParent,
    },
    Mounts: [
      ...(options.mounts ?? [])
        .filter((m) => m.type !== "volume")
        .map((m) => ({
          Type: m.type,
          Source: m.source ?? "",
          Destination: m.target,
          RW: m.readOnly !== true && m.type !== "image",
        })),
      ...resolved.volumes.map((v) => ({
        Type: "volume",
        Name: v.name,
        Source: core.volumeDirectory(v.name),
        Destination: v.target,
        RW: !v.readOnly,
      })),
    ],
    Config: {
      Hostname: options.hostname ?? record.id.slice(0, 12),
      User: options.user ?? "",
      Tty: options.tty ?? false,
      OpenStdin: options.openStdin ?? false,
      Env: resolved.env,
      Cmd: options.command ?? null,
      Entrypoint: options.entrypoint ?? null,
      Image: record.image,
      WorkingDir: resolved.cwd,
      Labels: resolved.labels,
      StopSignal: resolved.stopSignal,
    },
  };
}
