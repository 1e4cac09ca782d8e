/** What `inspect` shows of a container, in Docker's shape. */
import type { RuntimeState } from "#runtime";
import type { EngineCore } from "./core.ts";
import { isPaused } from "./lifecycle/freeze.ts";
import type { ContainerRecord } from "./records.ts";
import { networkSettings } from "./network/details.ts";
import { builtInRuntime } from "./handlers/handlers.ts";
import { networkModeName } from "./network/mode.ts";
import { lostStatus } from "#runtime";
import { readHealth } from "./supervise/health-file.ts";
import { newHealth, type Health, type HealthCheck } from "./supervise/health.ts";
import { parseRestart } from "./supervise/restart-policy.ts";

export type ContainerStatus = "created" | "running" | "paused" | "restarting" | "exited";

export interface ContainerDetails {
  readonly Id: string;
  readonly Name: string;
  readonly Created: string;
  readonly Path: string;
  readonly Args: readonly string[];
  readonly State: {
    readonly Status: ContainerStatus;
    readonly Running: boolean;
    readonly Paused: boolean;
    readonly Restarting: boolean;
    readonly Health?: {
      readonly Status: Health["status"];
      readonly FailingStreak: number;
      readonly Log: readonly {
        readonly Start: string;
        readonly End: string;
        readonly ExitCode: number;
        readonly Output: string;
      }[];
    };
    readonly OOMKilled: boolean;
    readonly Pid: number;
    readonly ExitCode: number;
    readonly Error: string;
    readonly StartedAt: string;
    readonly FinishedAt: string;
  };
  /** Digest of the image's configuration. */
  readonly Image: string;
  readonly RestartCount: number;
  readonly ResolvConfPath: string;
  readonly HostnamePath: string;
  readonly HostsPath: string;
  readonly LogPath: string;
  readonly HostConfig: Readonly<Record<string, unknown>>;
  readonly Mounts: readonly Readonly<Record<string, unknown>>[];
  readonly Config: Readonly<Record<string, unknown>>;
  readonly NetworkSettings: Readonly<Record<string, unknown>>;
}

const never = "0001-01-01T00:00:00Z";

/**
 * @param paused asked for one that runs
 * @param restarting asked for one that has ended
 */
export function containerStatus(
  state: RuntimeState,
  paused: () => boolean,
  restarting: () => boolean,
): ContainerStatus {
  if (state.status === "running") return paused() ? "paused" : "running";
  if (state.status === "created") return "created";
  if (restarting()) return "restarting";
  return state.status === "none" ? "created" : "exited";
}

export function inspectContainer(record: ContainerRecord, state: RuntimeState, core: EngineCore): ContainerDetails {
  const { options, resolved } = record;
  const directory = core.runtime.stateDirectory(record.id);
  const policy = parseRestart(options.restart);
  const supervised = core.supervision.get(record.id);
  const status = containerStatus(
    state,
    () => isPaused(core, record),
    () => supervised?.due !== undefined,
  );
  const exit = state.status === "stopped" ? state.exit : state.status === "lost" ? lostStatus : undefined;
  const startedAt = "startedAt" in state ? state.startedAt : undefined;
  return {
    Id: record.id,
    Name: record.name,
    Created: new Date(record.createdAt).toISOString(),
    Path: resolved.args[0] ?? "",
    Args: resolved.args.slice(1),
    State: {
      Status: status,
      Running: state.status === "running",
      Paused: status === "paused",
      Restarting: status === "restarting",
      ...health(record, state, core),
      OOMKilled: exit?.oomKilled ?? false,
      Pid: state.status === "running" || state.status === "created" ? state.pid : 0,
      ExitCode: exit?.status ?? 0,
      Error: state.status === "lost" ? "its monitor was killed, or the host went down" : "",
      StartedAt: startedAt === undefined ? never : new Date(startedAt).toISOString(),
      FinishedAt: exit === undefined || exit.at === 0 ? never : new Date(exit.at).toISOString(),
    },
    Image: record.imageId,
    RestartCount: supervised?.restarts ?? 0,
    ResolvConfPath: `${directory}/resolv.conf`,
    HostnamePath: `${directory}/hostname`,
    HostsPath: `${directory}/hosts`,
    LogPath: core.logPath(record),
    HostConfig: {
      Runtime: record.resolved.handler?.name ?? builtInRuntime,
      NetworkMode: networkModeName(options),
      PublishAllPorts: options.publishAll ?? false,
      ExtraHosts: options.addHosts ?? [],
      Dns: options.dns ?? [],
      DnsSearch: options.dnsSearch ?? [],
      DnsOptions: options.dnsOptions ?? [],
      RestartPolicy: { Name: policy.name, MaximumRetryCount: policy.most },
      LogConfig: {
        Type: options.logDriver ?? "cri",
        Config: {
          ...(options.logMaxSize !== undefined && { "max-size": String(options.logMaxSize) }),
          ...(options.logMaxFiles !== undefined && { "max-file": String(options.logMaxFiles) }),
        },
      },
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
      CgroupParent: options.cgroupParent ?? core.cgroupParent,
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
      ExposedPorts: Object.fromEntries((resolved.exposed ?? []).map((port) => [port, {}])),
      ...(resolved.health !== undefined && { Healthcheck: dockerHealthcheck(resolved.health) }),
    },
    NetworkSettings: networkSettings(record, state, core),
  };
}

/** Of a container that runs and has a health check. */
function health(
  { id, resolved }: ContainerRecord,
  { status }: RuntimeState,
  core: EngineCore,
): Pick<ContainerDetails["State"], "Health"> {
  if (resolved.health === undefined || status !== "running") return {};
  const { status: Status, failingStreak, log } = readHealth(core.runtime.stateDirectory(id)) ?? newHealth;
  return {
    Health: {
      Status,
      FailingStreak: failingStreak,
      Log: log.map((r) => ({
        Start: new Date(r.start).toISOString(),
        End: new Date(r.end).toISOString(),
        ExitCode: r.exitCode,
        Output: r.output,
      })),
    },
  };
}

/** Docker's durations are nanoseconds. */
function dockerHealthcheck(check: HealthCheck): Readonly<Record<string, unknown>> {
  return {
    Test: check.test,
    Interval: check.interval * 1e6,
    Timeout: check.timeout * 1e6,
    StartPeriod: check.startPeriod * 1e6,
    StartInterval: check.startInterval * 1e6,
    Retries: check.retries,
  };
}
