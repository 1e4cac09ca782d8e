/** What single containers and pods use at this moment, for front-ends that have rates and shapes of their own. */
import { join } from "node:path";
import { isSampanError } from "#errdefs";
import {
  containerProcesses,
  oomKills,
  readCgroupStats,
  readGroupUsage,
  readNetworkStats,
  type CgroupStats,
  type GroupUsage,
  type NetworkInterfaceStats,
} from "#host";
import { netlink } from "#network";
import { cgroupDirectories } from "#plan";
import type { Usage } from "#snapshots";
import type { Resources } from "#spec";
import type { EngineCore } from "../core.ts";
import type { PodRecord } from "../pods/pod-book.ts";
import { containerResources } from "../resources.ts";

/** Of a container that runs. */
export interface RunningContainer {
  /** Of its first process. */
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

export class Measurements {
  readonly #core: EngineCore;

  constructor(core: EngineCore) {
    this.#core = core;
  }

  /** Undefined while it does not run. */
  running(id: string): RunningContainer | undefined {
    const state = this.#core.runtime.state(id);
    return state.status === "running" ? { pid: state.pid, startedAt: state.startedAt } : undefined;
  }

  /** @throws SampanError `not-found` */
  usage(id: string): GroupUsage {
    return readGroupUsage(this.#groups(id));
  }

  /** All counters of its cgroups. */
  counters(id: string): CgroupStats {
    return readCgroupStats(this.#groups(id), this.#core.facts.hugepageSizes);
  }

  /** Pids of its processes, as the host sees them. */
  processes(id: string): readonly number[] {
    return containerProcesses(this.#groups(id));
  }

  /** Of its processes that were killed for want of memory, since its start. */
  oomKills(id: string): number {
    return oomKills(this.#groups(id)) ?? 0;
  }

  /** What it may use, as it was asked for. */
  limits(id: string): Pick<Resources, "cpu" | "memory"> {
    return containerResources(this.#core.records.find(id).options, []);
  }

  #groups(id: string): ReadonlyMap<string, string> {
    return this.#core.cgroups(this.#core.records.find(id));
  }

  /** Of all its containers together, also of those that have ended. */
  podUsage({ cgroup }: PodRecord): GroupUsage {
    return readGroupUsage(cgroupDirectories(this.#core.facts.cgroup, cgroup).paths);
  }

  /**
   * Interfaces of a pod's network; none while it is down, or where it has the host's.
   *
   * @param member pid of a process in it, of which they are read fastest
   */
  async podNetwork({ id, options }: PodRecord, member: number | undefined): Promise<readonly NetworkInterfaceStats[]> {
    if (options.network === "host" || !this.#core.pods.isUp(id)) return [];
    const read = member === undefined ? [] : readNetworkStats(member);
    return read.length > 0 ? read : await this.#askNetwork(join(this.#core.pods.directory(id), "net"));
  }

  async #askNetwork(namespace: string): Promise<readonly NetworkInterfaceStats[]> {
    try {
      const request = { kind: "link", action: "dump", value: {} } as const;
      const replies = await netlink.askRoute(this.#core.executor, [request], { namespace });
      return replies.flatMap((reply) => {
        if (reply.kind !== "link" || reply.value.statistics === undefined) return [];
        const { name = "", statistics: s } = reply.value;
        return [
          {
            name,
            rxBytes: s.receivedBytes,
            rxPackets: s.receivedPackets,
            rxErrors: s.receiveErrors,
            rxDropped: s.receiveDropped,
            txBytes: s.sentBytes,
            txPackets: s.sentPackets,
            txErrors: s.sendErrors,
            txDropped: s.sendDropped,
          },
        ];
      });
    } catch (error) {
      // It was taken down meanwhile.
      if (isSampanError(error)) return [];
      throw error;
    }
  }

  /** On disk, of what it has written. Reads the whole tree. Nothing for one that is removed meanwhile. */
  async written(id: string): Promise<Usage> {
    try {
      return await this.#core.snapshotter.usage(id);
    } catch (error) {
      if (isSampanError(error, "not-found")) return { bytes: 0, inodes: 0 };
      throw error;
    }
  }

  /** Directory of images and writable layers. */
  get directory(): string {
    return this.#core.paths.root;
  }
}
