/** Pods in the database, and whether they are up, which is in their state directories. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { alreadyExists, invalidArgument, notFound } from "#errdefs";
import type { Database } from "#images";
import type { UpdateOptions } from "../lifecycle/update.ts";
import type { ContainerOptions } from "../options.ts";

/** Namespaces that containers of a pod may share. */
export type PodNamespace = "net" | "ipc" | "uts" | "pid";

export interface PodOptions extends Pick<
  ContainerOptions,
  | "hostname"
  | "network"
  | "networks"
  | "publish"
  | "addHosts"
  | "cni"
  | "dns"
  | "dnsSearch"
  | "dnsOptions"
  | "labels"
  | "shmSize"
  | "extensions"
  | "sysctls"
> {
  /** A random one when undefined. */
  readonly name?: string;
  /** `net`, `ipc` and `uts` when undefined. With `pid` a small process of keel is the first one of all its containers. */
  readonly share?: readonly PodNamespace[];
  /** Its containers are in the host's pid namespace. */
  readonly pid?: "host";
  /** Its containers are in the host's ipc namespace. */
  readonly ipc?: "host";
  /** Of all its containers together. */
  readonly limits?: Omit<UpdateOptions, "restart">;
  /** Its /etc/resolv.conf, word for word, in place of what the host and the options above say. */
  readonly resolvConf?: string;
  /** Cgroup that the pod's is made in, in place of the engine's. */
  readonly cgroupParent?: string;
}

export interface PodRecord {
  readonly id: string;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly options: PodOptions;
  /** Path of its cgroup in each hierarchy. */
  readonly cgroup: string;
}

/** What a container keeps of its pod: it holds for the life of both. */
export interface PodMembership {
  readonly id: string;
  readonly cgroup: string;
  readonly share: readonly PodNamespace[];
}

const migrations: readonly string[] = [
  `CREATE TABLE pods (
     id TEXT PRIMARY KEY,
     name TEXT NOT NULL UNIQUE,
     created_at INTEGER NOT NULL,
     options TEXT NOT NULL,
     cgroup TEXT NOT NULL
   ) STRICT;`,
];

interface Row {
  readonly id: string;
  readonly name: string;
  readonly created_at: number;
  readonly options: string;
  readonly cgroup: string;
}

const fromRow = ({ id, name, created_at, options, cgroup }: Row): PodRecord => ({
  id,
  name,
  createdAt: created_at,
  options: JSON.parse(options) as PodOptions,
  cgroup,
});

/** The host's are nobody's to share. */
export function sharedNamespaces({ share, network, pid, ipc }: PodOptions): readonly PodNamespace[] {
  const hosts: ReadonlySet<string> = new Set([
    ...(network === "host" ? ["net"] : []),
    ...(pid === "host" ? ["pid"] : []),
    ...(ipc === "host" ? ["ipc"] : []),
  ]);
  return (share ?? (["net", "ipc", "uts"] as const)).filter((name) => !hosts.has(name));
}

export class PodBook {
  readonly #database: Database;
  readonly #directory: string;
  #migrated = false;

  /** @param directory of all pods' state directories */
  constructor(database: Database, directory: string) {
    this.#database = database;
    this.#directory = directory;
  }

  /** Most engines never see a pod. */
  #sql(text: string): ReturnType<Database["prepare"]> {
    if (!this.#migrated) this.#database.migrate("pods", migrations);
    this.#migrated = true;
    return this.#database.prepare(text);
  }

  directory(id: string): string {
    return join(this.#directory, id);
  }

  /** Whether it is up, or is being brought up. */
  isMade(id: string): boolean {
    return existsSync(this.directory(id));
  }

  /** Whether its namespaces are there. */
  isUp(id: string): boolean {
    return existsSync(join(this.directory(id), "up"));
  }

  insert({ id, name, createdAt, options, cgroup }: PodRecord): void {
    const { changes } = this.#sql(
      "INSERT INTO pods (id, name, created_at, options, cgroup) VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING",
    ).run(id, name, createdAt, JSON.stringify(options), cgroup);
    if (Number(changes) === 0)
      throw alreadyExists(`Cannot use name "${name}": another pod has it`, { remedy: "Take another name" });
  }

  setOptions(id: string, options: PodOptions): void {
    this.#sql("UPDATE pods SET options = ? WHERE id = ?").run(JSON.stringify(options), id);
  }

  has(id: string): boolean {
    return this.#sql("SELECT 1 FROM pods WHERE id = ?").get(id) !== undefined;
  }

  delete(id: string): void {
    this.#sql("DELETE FROM pods WHERE id = ?").run(id);
  }

  list(): PodRecord[] {
    return (this.#sql("SELECT * FROM pods ORDER BY created_at DESC").all() as unknown as Row[]).map(fromRow);
  }

  /** By name, id, or a beginning of the id that only one has. */
  find(nameOrId: string): PodRecord {
    const exact = this.#sql("SELECT * FROM pods WHERE name = ?1 OR id = ?1").get(nameOrId) as unknown as
      | Row
      | undefined;
    if (exact !== undefined) return fromRow(exact);
    const rows = /^[0-9a-f]{1,64}$/.test(nameOrId)
      ? (this.#sql("SELECT * FROM pods WHERE id >= ? AND id < ? LIMIT 2").all(
          nameOrId,
          `${nameOrId}g`,
        ) as unknown as Row[])
      : [];
    const [first, second] = rows;
    if (second !== undefined) throw invalidArgument(`Cannot find pod "${nameOrId}": several ids begin so`);
    if (first !== undefined) return fromRow(first);
    throw notFound(`Cannot find pod "${nameOrId}": there is none with this name or id`, {
      remedy: "See sampan pod ps",
    });
  }
}

/**
 * What a container gets of its pod in place of its own options.
 *
 * @throws SampanError `invalid-argument` for options that only the pod can have
 */
export function joinPod(
  pod: PodRecord,
  options: ContainerOptions,
): { readonly options: Partial<ContainerOptions>; readonly membership: PodMembership } {
  const share = sharedNamespaces(pod.options);
  const fail = (what: string): never => {
    throw invalidArgument(`Cannot set ${what} of a container in pod "${pod.name}": the pod has it`);
  };
  if (options.cgroupParent !== undefined) fail("cgroup-parent");
  const hostNetwork = pod.options.network === "host";
  if (hostNetwork || share.includes("net")) {
    for (const name of ["network", "networks", "publish", "addHosts", "dns", "dnsSearch", "dnsOptions"] as const) {
      const value = options[name];
      if (value !== undefined && value.length > 0) fail(name);
    }
  }
  if (share.includes("uts") && options.hostname !== undefined) fail("hostname");
  return {
    options: {
      ...(hostNetwork ? { network: "host" } : share.includes("net") && { network: "none" }),
      ...(pod.options.pid === "host" && options.pid === undefined && { pid: "host" }),
      ...(pod.options.ipc === "host" && options.ipc === undefined && { ipc: "host" }),
      ...(share.includes("uts") && { hostname: podHostname(pod) }),
    },
    membership: {
      id: pod.id,
      cgroup: pod.cgroup,
      // What it wants to have otherwise is not the pod's.
      share: share.filter(
        (name) => (name !== "pid" || options.pid === undefined) && (name !== "ipc" || options.ipc === undefined),
      ),
    },
  };
}

export const podHostname = ({ options, name }: PodRecord): string => options.hostname ?? name.replaceAll("_", "-");
