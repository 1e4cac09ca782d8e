/**
 * The engine's book: which containers there are and what they were made from. How they *are* is not here: the monitor's files
 * tell that. Two processes may use the same book at once; `claim` keeps them from working on one container at a time.
 */
import { alreadyExists, failedPrecondition, invalidArgument, notFound, type SampanError } from "#errdefs";
import { processIsAlive, processStartTime } from "#host";
import type { Database } from "#images";
import type { CdiEdits } from "./cdi/types.ts";
import type { ContainerOptions } from "./options.ts";
import type { PodMembership } from "./pods/pod-book.ts";
import type { ResolvedSecret } from "./secrets/secrets.ts";
import type { Dependency } from "./supervise/dependencies.ts";
import type { HealthCheck } from "./supervise/health.ts";

/** What was worked out when the container was made, and holds for its whole life. */
export interface ContainerRecord {
  readonly id: string;
  readonly name: string;
  /** The image as it was named. */
  readonly image: string;
  readonly imageId: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly options: ContainerOptions;
  readonly resolved: ResolvedContainer;
}

export interface ResolvedContainer {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: { readonly uid: number; readonly gid: number; readonly groups: readonly number[] };
  readonly stopSignal: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Snapshot key of the image's top layer; undefined for an image without layers. */
  readonly chainId: string | undefined;
  /** Set when the image is of 32-bit x86, whose programs need other system calls. */
  readonly image32?: boolean;
  readonly secrets?: readonly ResolvedSecret[];
  /** What its devices of the CDI do. */
  readonly cdi?: CdiEdits;
  readonly pod?: PodMembership;
  /** Ports that the image and the options expose, e.g. `80/tcp`. */
  readonly exposed?: readonly string[];
  readonly health?: HealthCheck;
  readonly dependsOn?: readonly Dependency[];
  /** Images that are mounted, read-only. */
  readonly images?: readonly {
    readonly target: string;
    readonly imageId: string;
    /** Undefined for an image without layers. */
    readonly chainId: string | undefined;
    readonly subpath: string;
  }[];
  /** Volumes: host directory by path inside; `anonymous` ones go with the container. */
  readonly volumes: readonly {
    readonly target: string;
    readonly name: string;
    readonly anonymous: boolean;
    readonly readOnly: boolean;
    readonly noCopy: boolean;
  }[];
}

const schema: readonly string[] = [
  `CREATE TABLE containers (
     id TEXT PRIMARY KEY,
     name TEXT NOT NULL UNIQUE,
     image TEXT NOT NULL,
     image_id TEXT NOT NULL,
     chain_id TEXT,
     created_at INTEGER NOT NULL,
     options TEXT NOT NULL,
     resolved TEXT NOT NULL,
     claim TEXT
   ) STRICT;
   CREATE TABLE volumes (
     name TEXT PRIMARY KEY,
     anonymous INTEGER NOT NULL,
     created_at INTEGER NOT NULL
   ) STRICT;`,
];

/** What a process is doing to a container it has claimed: decides what is done when that process dies half-way. */
export type Purpose = "create" | "start" | "remove" | "use";

/** `PID START PURPOSE`: the process that works on a container. */
function ownClaim(purpose: Purpose): string {
  ownProcess ??= `${process.pid} ${processStartTime(process.pid) ?? 0n}`;
  return `${ownProcess} ${purpose}`;
}
let ownProcess: string | undefined;

function claimIsLive(claim: string): boolean {
  const [pid = "0", start = "0"] = claim.split(" ");
  return processIsAlive(Number(pid), BigInt(start));
}

export function nameTaken(name: string, holder: string, cause?: unknown): SampanError {
  return alreadyExists(`Cannot use name "${name}": container ${holder.slice(0, 12)} has it`, {
    cause,
    remedy: "Remove that container or take another name",
  });
}

interface Row {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly image_id: string;
  readonly created_at: number;
  readonly options: string;
  readonly resolved: string;
  readonly claim: string | null;
}

export class Records {
  readonly #database: Database;
  readonly #onChange: (record: ContainerRecord) => void;
  /** Claims of this process: two tasks of one process exclude each other too. */
  readonly #own = new Set<string>();

  /** @param onChange told of each container that gets another name or other options */
  constructor(database: Database, onChange: (record: ContainerRecord) => void = () => undefined) {
    this.#database = database;
    this.#onChange = onChange;
    database.migrate("engine", schema);
  }

  #sql(text: string): ReturnType<Database["prepare"]> {
    return this.#database.prepare(text);
  }

  /** Adds a container, claimed by this process. Throws `already-exists` when the name is taken. */
  insert(record: ContainerRecord): void {
    try {
      this.#sql(
        "INSERT INTO containers (id, name, image, image_id, chain_id, created_at, options, resolved, claim) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      ).run(
        record.id,
        record.name,
        record.image,
        record.imageId,
        record.resolved.chainId ?? null,
        record.createdAt,
        JSON.stringify(record.options),
        JSON.stringify(record.resolved),
        ownClaim("create"),
      );
    } catch (error) {
      const holder = this.findName(record.name);
      if (holder === undefined) throw error;
      throw nameTaken(record.name, holder, error);
    }
    this.#own.add(record.id);
  }

  /**
   * Keeps other processes from working on the container until `release`. A claim of a process that has ended counts no more.
   *
   * @throws SampanError `failed-precondition` while another process works on it, `not-found` when it is gone
   */
  claim(id: string, purpose: Purpose): void {
    const busy = (who: string): never => {
      throw failedPrecondition(`Cannot use container "${id.slice(0, 12)}": ${who} is working on it`);
    };
    if (this.#own.has(id)) busy("another task");
    const row = this.#sql("SELECT claim FROM containers WHERE id = ?").get(id) as { claim: string | null } | undefined;
    if (row === undefined) throw notFound(`Cannot find container "${id.slice(0, 12)}": it has been removed`);
    if (row.claim !== null && claimIsLive(row.claim)) busy(`process ${row.claim.split(" ")[0]}`);
    const { changes } = this.#sql("UPDATE containers SET claim = ? WHERE id = ? AND claim IS ?").run(
      ownClaim(purpose),
      id,
      row.claim,
    );
    if (Number(changes) === 0) busy("another process");
    this.#own.add(id);
  }

  release(id: string): void {
    if (!this.#own.delete(id)) return;
    this.#sql("UPDATE containers SET claim = NULL WHERE id = ?").run(id);
  }

  /** Whether a process works on the container. */
  isBusy(id: string): boolean {
    if (this.#own.has(id)) return true;
    const claim = this.#sql("SELECT claim FROM containers WHERE id = ?").get(id)?.["claim"] as
      | string
      | null
      | undefined;
    return typeof claim === "string" && claimIsLive(claim);
  }

  /** Id of the container with this name. */
  findName(name: string): string | undefined {
    return this.#sql("SELECT id FROM containers WHERE name = ?").get(name)?.["id"] as string | undefined;
  }

  has(id: string): boolean {
    return this.#sql("SELECT 1 FROM containers WHERE id = ?").get(id) !== undefined;
  }

  /** @throws SampanError `already-exists` when another container has the name, `not-found` when this one is gone */
  rename(id: string, name: string): void {
    let changes;
    try {
      ({ changes } = this.#sql("UPDATE containers SET name = ? WHERE id = ?").run(name, id));
    } catch (error) {
      const holder = this.findName(name);
      if (holder === undefined) throw error;
      throw nameTaken(name, holder, error);
    }
    if (Number(changes) === 0) throw notFound(`Cannot rename container "${id.slice(0, 12)}": it has been removed`);
    this.#changed(id);
  }

  #changed(id: string): void {
    const row = this.#sql("SELECT * FROM containers WHERE id = ?").get(id) as unknown as Row | undefined;
    if (row !== undefined) this.#onChange(fromRow(row));
  }

  setOptions(id: string, options: ContainerOptions): void {
    this.#sql("UPDATE containers SET options = ? WHERE id = ?").run(JSON.stringify(options), id);
    this.#changed(id);
  }

  delete(id: string): void {
    this.#sql("DELETE FROM containers WHERE id = ?").run(id);
    this.#own.delete(id);
  }

  list(): ContainerRecord[] {
    return (this.#sql("SELECT * FROM containers ORDER BY created_at DESC").all() as unknown as Row[]).map(fromRow);
  }

  /** Those that are part of a pod, newest first. */
  ofPod(id: string): ContainerRecord[] {
    const text = "SELECT * FROM containers WHERE resolved ->> '$.pod.id' = ? ORDER BY created_at DESC";
    return (this.#sql(text).all(id) as unknown as Row[]).map(fromRow);
  }

  /** Containers that a process which has since ended was working on, and what it was doing. */
  abandoned(): { readonly record: ContainerRecord; readonly purpose: Purpose }[] {
    const rows = this.#sql("SELECT * FROM containers WHERE claim IS NOT NULL").all() as unknown as Row[];
    return rows
      .filter((r) => r.claim !== null && !claimIsLive(r.claim))
      .map((r) => ({ record: fromRow(r), purpose: (r.claim?.split(" ")[2] ?? "use") as Purpose }));
  }

  /**
   * By full name, full id, or a beginning of the id that only one container has.
   *
   * @throws SampanError `not-found`, or `invalid-argument` when several match
   */
  find(nameOrId: string): ContainerRecord {
    const exact = this.#sql("SELECT * FROM containers WHERE name = ?1 OR id = ?1").get(nameOrId) as unknown as
      | Row
      | undefined;
    if (exact !== undefined) return fromRow(exact);
    if (/^[0-9a-f]{1,64}$/.test(nameOrId)) {
      const rows = this.#sql("SELECT * FROM containers WHERE id >= ? AND id < ? LIMIT 2").all(
        nameOrId,
        `${nameOrId}g`,
      ) as unknown as Row[];
      const [first, second] = rows;
      if (second !== undefined) throw invalidArgument(`Cannot find container "${nameOrId}": several ids begin so`);
      if (first !== undefined) return fromRow(first);
    }
    throw notFound(`Cannot find container "${nameOrId}": there is none with this name or id`, {
      remedy: "See sampan ps -a",
    });
  }

  /** Names of the containers made from an image or on top of a snapshot. */
  usersOf(imageIdOrChainId: string): string[] {
    const rows = this.#sql(
      `SELECT name FROM containers WHERE image_id = ?1 OR chain_id = ?1 OR EXISTS (
         SELECT 1 FROM json_each(resolved, '$.images') m
         WHERE m.value ->> '$.imageId' = ?1 OR m.value ->> '$.chainId' = ?1)`,
    ).all(imageIdOrChainId) as unknown as { name: string }[];
    return rows.map((r) => r.name);
  }

  addVolume(name: string, anonymous: boolean): void {
    this.#sql("INSERT OR IGNORE INTO volumes (name, anonymous, created_at) VALUES (?, ?, ?)").run(
      name,
      anonymous ? 1 : 0,
      Date.now(),
    );
  }

  deleteVolume(name: string): void {
    this.#sql("DELETE FROM volumes WHERE name = ?").run(name);
  }
}

function fromRow(row: Row): ContainerRecord {
  return {
    id: row.id,
    name: row.name,
    image: row.image,
    imageId: row.image_id,
    createdAt: row.created_at,
    options: JSON.parse(row.options) as ContainerOptions,
    resolved: JSON.parse(row.resolved) as ResolvedContainer,
  };
}
