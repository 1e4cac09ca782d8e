/**
 * Leases that no process holds: they keep blobs and layers until they expire or somebody ends them, whoever lives or dies
 * meanwhile. For work in several steps, such as a build or a copy by another program. Of a namespace, like names.
 */
import { randomBytes } from "node:crypto";
import { alreadyExists, invalidArgument, notFound } from "#errdefs";
import type { Database } from "./database.ts";
import { logLease, readLeases, type LoggedLease } from "./lease-log.ts";

export interface NamedLease {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Milliseconds since the epoch; undefined for one that lasts until it is ended. */
  readonly expiresAt: number | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** What it keeps: digests of blobs, and layers as `snapshot:<chain id>`. */
  readonly keys: readonly string[];
}

export interface NamedLeaseOptions {
  /** Letters, digits, `_`, `.` and `-`; a random one when it is not given. */
  readonly id?: string | undefined;
  /** Milliseconds; without end when it is not given. */
  readonly lifetime?: number | undefined;
  readonly labels?: Readonly<Record<string, string>>;
}

const prefix = "lease:";
const idPattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

export class NamedLeases {
  readonly #database: Database;
  readonly #namespace: string;

  constructor(database: Database, namespace: string) {
    this.#database = database;
    this.#namespace = namespace;
  }

  /** @throws SampanError `already-exists`, `invalid-argument` */
  create({ id = randomBytes(8).toString("hex"), lifetime, labels = {} }: NamedLeaseOptions = {}): string {
    if (!idPattern.test(id)) {
      throw invalidArgument(`Cannot make lease "${id}": its id must be letters, digits, "_", "." and "-"`);
    }
    if (lifetime !== undefined && !(lifetime > 0)) {
      throw invalidArgument(`Cannot make lease "${id}": it would have ended already`);
    }
    this.#database.transaction(() => {
      const { changes } = this.#database
        .prepare(
          "INSERT OR IGNORE INTO image_lease_names (namespace, id, created, lifetime, labels) VALUES (?, ?, ?, ?, ?)",
        )
        .run(this.#namespace, id, Date.now(), lifetime ?? null, JSON.stringify(labels));
      if (Number(changes) === 0) throw alreadyExists(`Cannot make lease "${id}": there is one`);
      this.#log(id);
    });
    return id;
  }

  /**
   * Keeps further blobs or layers. Call it while something else keeps them: what is not there any more is not kept.
   *
   * @throws SampanError `not-found`
   */
  add(id: string, keys: Iterable<string>): void {
    this.#database.transaction(() => {
      this.#get(id);
      const insert = this.#database.prepare(
        "INSERT OR IGNORE INTO image_leases (key, holder, removing) VALUES (?, ?, 0)",
      );
      for (const key of keys) insert.run(key, holderOf(this.#namespace, id));
      this.#log(id);
    });
  }

  /** Ends a lease; what only it kept may be collected then. @throws SampanError `not-found` */
  remove(id: string): void {
    this.#database.transaction(() => {
      this.#get(id);
      this.#database.prepare("DELETE FROM image_leases WHERE holder = ?").run(holderOf(this.#namespace, id));
      this.#database.prepare("DELETE FROM image_lease_names WHERE namespace = ? AND id = ?").run(this.#namespace, id);
      this.#log(id);
    });
  }

  /** The oldest first, expired ones that were not collected yet too. */
  list(): readonly NamedLease[] {
    const rows = this.#database
      .prepare("SELECT * FROM image_lease_names WHERE namespace = ? ORDER BY created, id")
      .all(this.#namespace);
    return rows.map((row) => {
      const { id, created, lifetime, labels, keys } = fromRow(this.#database, row);
      return {
        id,
        createdAt: created,
        expiresAt: lifetime === undefined ? undefined : created + lifetime,
        labels,
        keys,
      };
    });
  }

  /** Notes beside the database what a lease is now. */
  #log(id: string): void {
    const row = this.#database
      .prepare("SELECT * FROM image_lease_names WHERE namespace = ? AND id = ?")
      .get(this.#namespace, id);
    const lease = row === undefined ? { namespace: this.#namespace, id } : fromRow(this.#database, row);
    logLease(this.#database, lease, () =>
      this.#database
        .prepare("SELECT * FROM image_lease_names")
        .all()
        .map((one) => fromRow(this.#database, one)),
    );
  }

  #get(id: string): void {
    const row = this.#database
      .prepare("SELECT 1 FROM image_lease_names WHERE namespace = ? AND id = ?")
      .get(this.#namespace, id);
    if (row === undefined) throw notFound(`Cannot find lease "${id}": there is none with this id`);
  }
}

const holderOf = (namespace: string, id: string): string => `${prefix}${namespace}/${id}`;

function fromRow(database: Database, row: Readonly<Record<string, unknown>>): LoggedLease {
  const [namespace, id] = [row["namespace"] as string, row["id"] as string];
  return {
    namespace,
    id,
    created: Number(row["created"]),
    ...(row["lifetime"] !== null && { lifetime: Number(row["lifetime"]) }),
    labels: JSON.parse(row["labels"] as string) as Record<string, string>,
    keys: database
      .prepare("SELECT key FROM image_leases WHERE holder = ? ORDER BY key")
      .all(holderOf(namespace, id))
      .map(({ key }) => key as string),
  };
}

/** Puts the leases of all namespaces that have not expired into an empty book. */
export function restoreNamedLeases(database: Database): readonly LoggedLease[] {
  const now = Date.now();
  const leases = readLeases(database).filter(
    ({ created, lifetime }) => lifetime === undefined || now < created + lifetime,
  );
  database.transaction(() => {
    for (const { namespace, id, created, lifetime, labels, keys } of leases) {
      database
        .prepare(
          "INSERT OR IGNORE INTO image_lease_names (namespace, id, created, lifetime, labels) VALUES (?, ?, ?, ?, ?)",
        )
        .run(namespace, id, created, lifetime ?? null, JSON.stringify(labels));
      const insert = database.prepare("INSERT OR IGNORE INTO image_leases (key, holder, removing) VALUES (?, ?, 0)");
      for (const key of keys) insert.run(key, holderOf(namespace, id));
    }
  });
  return leases;
}

export function isNamedHolder(holder: string): boolean {
  return holder.startsWith(prefix);
}

/** Whether it is there and has not expired. Before its own beginning, after the clock was set back, it has not. */
export function isNamedLeaseAlive(database: Database, holder: string): boolean {
  const [namespace = "", id = ""] = holder.slice(prefix.length).split("/");
  const row = database
    .prepare("SELECT created, lifetime FROM image_lease_names WHERE namespace = ? AND id = ?")
    .get(namespace, id);
  if (row === undefined) return false;
  return row["lifetime"] === null || Date.now() < Number(row["created"]) + Number(row["lifetime"]);
}

/** Forgets leases that have expired; one from the future, as the clock tells it, begins anew now. */
export function endExpiredLeases(database: Database): void {
  const now = Date.now();
  const rows = database.prepare("SELECT namespace, id, created, lifetime FROM image_lease_names").all();
  for (const { namespace, id, created, lifetime } of rows) {
    const where = [namespace as string, id as string];
    if (Number(created) > now)
      database.prepare("UPDATE image_lease_names SET created = ? WHERE namespace = ? AND id = ?").run(now, ...where);
    else if (lifetime !== null && Number(created) + Number(lifetime) <= now)
      database.prepare("DELETE FROM image_lease_names WHERE namespace = ? AND id = ?").run(...where);
  }
}
