/**
 * Volumes: directories that outlive containers. Those with options of the local driver (`type`, `device`, `o`) are a mount on the
 * host: made when a container first needs it, and undone when the volume is removed.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { alreadyExists, failedPrecondition, invalidArgument, isSampanError, notFound, unavailable } from "#errdefs";
import { parseMountInfo, processIsAlive, processStartTime } from "#host";
import type { Database } from "#images";
import type { Executor } from "#keel";
import { planVolumeMount } from "#plan";
import type { Journal } from "../events/journal.ts";
import { newId } from "../names.ts";
import { volumeFilter, type VolumeFilters } from "./volume-filter.ts";

export interface VolumeOptions {
  /** A random one when undefined. */
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Of the local driver: `type`, `device` and `o`, as Docker has them. */
  readonly options?: Readonly<Record<string, string>>;
}

export interface Volume {
  readonly name: string;
  readonly driver: "local";
  /** Host directory that is bound into containers. */
  readonly mountpoint: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  /** Made for one container, without a name given. */
  readonly anonymous: boolean;
  /** Names of the containers that use it. */
  readonly users: readonly string[];
}

const migrations: readonly string[] = [
  `CREATE TABLE volume_details (
     name TEXT PRIMARY KEY,
     labels TEXT NOT NULL,
     options TEXT NOT NULL,
     claim TEXT
   ) STRICT;`,
];

interface Row {
  readonly name: string;
  readonly anonymous: number;
  readonly created_at: number;
  readonly labels: string | null;
  readonly options: string | null;
}

const selectRows = `SELECT v.name, v.anonymous, v.created_at, d.labels, d.options
  FROM volumes v LEFT JOIN volume_details d ON d.name = v.name`;

const knownOptions = new Set(["type", "device", "o"]);

export interface VolumesOptions {
  readonly database: Database;
  readonly executor: Executor;
  readonly journal: Journal;
  /** Directory of all volumes. */
  readonly directory: string;
}

export class Volumes {
  readonly #database: Database;
  readonly #executor: Executor;
  readonly #journal: Journal;
  readonly #directory: string;

  constructor(options: VolumesOptions) {
    this.#database = options.database;
    this.#executor = options.executor;
    this.#journal = options.journal;
    this.#directory = options.directory;
    this.#database.migrate("volume details", migrations);
  }

  #sql(text: string): ReturnType<Database["prepare"]> {
    return this.#database.prepare(text);
  }

  directory(name: string): string {
    return join(this.#directory, name, "_data");
  }

  /**
   * By name.
   *
   * @param filters Docker's: `name`, `label`, `driver`, `dangling`
   */
  list(filters: VolumeFilters = {}): Volume[] {
    const rows = this.#sql(`${selectRows} ORDER BY v.name`).all() as unknown as Row[];
    return rows.map((row) => this.#fromRow(row)).filter(volumeFilter(filters));
  }

  /** @throws SampanError `not-found` */
  get(name: string): Volume {
    const row = this.#sql(`${selectRows} WHERE v.name = ?`).get(name) as unknown as Row | undefined;
    if (row === undefined)
      throw notFound(`Cannot find volume "${name}": there is none of this name`, { remedy: "See sampan volume ls" });
    return this.#fromRow(row);
  }

  #fromRow(row: Row): Volume {
    return {
      name: row.name,
      driver: "local",
      mountpoint: this.directory(row.name),
      createdAt: row.created_at,
      labels: JSON.parse(row.labels ?? "{}") as Record<string, string>,
      options: JSON.parse(row.options ?? "{}") as Record<string, string>,
      anonymous: row.anonymous === 1,
      users: this.#users(row.name),
    };
  }

  #users(name: string): string[] {
    const rows = this.#sql(
      `SELECT c.name FROM containers c, json_each(c.resolved, '$.volumes') v
       WHERE json_extract(v.value, '$.name') = ? ORDER BY c.name`,
    ).all(name) as unknown as { name: string }[];
    return rows.map((r) => r.name);
  }

  /**
   * Makes a volume. One that is there with the same options is given back as it is.
   *
   * @throws SampanError `already-exists` when it is there with others, `invalid-argument`
   */
  create({ name = newId(), labels = {}, options = {} }: VolumeOptions = {}): Volume {
    checkVolumeName(name);
    for (const key of Object.keys(options))
      if (!knownOptions.has(key))
        throw invalidArgument(`Cannot make volume "${name}": the local driver has no option "${key}"`, {
          remedy: "It has type, device and o",
        });
    const mounted = Object.keys(options).length > 0;
    if (mounted) planVolumeMount({ ...mountOf(options), target: "/" });
    const created = this.#database.transaction(() => {
      const known = this.#sql(`${selectRows} WHERE v.name = ?`).get(name) as unknown as Row | undefined;
      if (known !== undefined) {
        if (!sameEntries(JSON.parse(known.options ?? "{}") as Record<string, string>, options))
          throw alreadyExists(`Cannot make volume "${name}": it is there with other options`, {
            remedy: "Remove it first, or take another name",
          });
        return false;
      }
      this.#sql("INSERT INTO volumes (name, anonymous, created_at) VALUES (?, 0, ?)").run(name, Date.now());
      this.#sql("INSERT OR REPLACE INTO volume_details (name, labels, options) VALUES (?, ?, ?)").run(
        name,
        JSON.stringify(labels),
        JSON.stringify(options),
      );
      return true;
    });
    this.#makeDirectory(name);
    if (created) this.#journal.emit("volume", "create", name, { driver: "local" });
    return this.get(name);
  }

  #makeDirectory(name: string): void {
    // A volume's files keep what the container gave them, setuid bits too: the way to them is closed (CVE-2021-41091).
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    mkdirSync(this.directory(name), { recursive: true, mode: 0o755 });
  }

  /**
   * Takes a volume away with all that is in it. Idempotent only with `force`: one that is not there is no failure then.
   *
   * @param options.except name of a container that is about to go, and counts as no user
   * @throws SampanError `failed-precondition` while a container uses it
   */
  async remove(name: string, options: { readonly force?: boolean; readonly except?: string } = {}): Promise<void> {
    try {
      await this.#remove(name, options.except);
    } catch (error) {
      if (options.force !== true || !isSampanError(error, "not-found")) throw error;
    }
  }

  async #remove(name: string, except?: string): Promise<void> {
    const { options } = this.get(name);
    const users = (): string[] => this.#users(name).filter((user) => user !== except);
    if (users().length === 0 && isMount(options)) {
      await this.#claimed(name, async () => {
        // One that is mounted twice over itself is none of ours, but nothing of it may be removed with the directory.
        while (this.#isMounted(name)) await this.#executor.execute([{ op: "unmount", path: this.directory(name) }]);
      });
    }
    const trash = join(this.#directory, `.${newId()}`);
    this.#database.transaction(() => {
      const now = users();
      if (now.length > 0)
        throw failedPrecondition(`Cannot remove volume "${name}": container ${now.join(", ")} uses it`, {
          remedy: "Remove the container first",
        });
      this.#sql("DELETE FROM volume_details WHERE name = ?").run(name);
      this.#sql("DELETE FROM volumes WHERE name = ?").run(name);
      // A container that is made from now on begins with a new one.
      if (existsSync(join(this.#directory, name))) renameSync(join(this.#directory, name), trash);
    });
    await this.#executor.execute([{ op: "remove-tree", path: trash }]);
    this.#journal.emit("volume", "destroy", name, { driver: "local" });
  }

  /**
   * Removes volumes that no container uses.
   *
   * @param options.all named ones too; only anonymous ones otherwise
   * @returns names of those that are gone
   */
  async prune(options: { readonly all?: boolean; readonly filters?: VolumeFilters } = {}): Promise<string[]> {
    const gone: string[] = [];
    // What a process has left that was killed while it removed a volume.
    const trash = existsSync(this.#directory) ? readdirSync(this.#directory).filter((n) => n.startsWith(".")) : [];
    for (const name of trash) await this.#executor.execute([{ op: "remove-tree", path: join(this.#directory, name) }]);
    for (const { name, users, anonymous } of this.list(options.filters ?? {})) {
      if (users.length > 0 || (!anonymous && options.all !== true)) continue;
      try {
        await this.#remove(name);
        gone.push(name);
      } catch (error) {
        // A container has come to use it, or another process has removed it.
        if (!isSampanError(error, "failed-precondition") && !isSampanError(error, "not-found")) throw error;
      }
    }
    if (gone.length > 0) this.#journal.emit("volume", "prune", "", {});
    return gone;
  }

  /** Makes sure that a volume is there to be bound, and mounted where it is a mount. */
  async prepare(name: string): Promise<void> {
    const { options } = this.get(name);
    this.#makeDirectory(name);
    if (!isMount(options) || this.#isMounted(name)) return;
    await this.#claimed(name, async () => {
      if (this.#isMounted(name)) return;
      const mount = { ...mountOf(options), target: this.directory(name) };
      const resolved = { ...mount, options: await resolveAddress(name, mount.options) };
      await this.#executor.execute(planVolumeMount(resolved).steps.map((s) => s.operation));
      this.#journal.emit("volume", "mount", name, { driver: "local" });
    });
  }

  #isMounted(name: string): boolean {
    const target = this.directory(name);
    return parseMountInfo(readFileSync("/proc/self/mountinfo", "utf8")).some((m) => m.mountPoint === target);
  }

  /** One process mounts or unmounts a volume at a time. */
  async #claimed(name: string, action: () => Promise<void>): Promise<void> {
    const own = `${process.pid} ${processStartTime(process.pid) ?? 0n} ${newId()}`;
    for (let attempt = 0; !this.#claim(name, own); attempt += 1) {
      if (attempt > 3000) throw unavailable(`Cannot use volume "${name}": another process is mounting it`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    try {
      await action();
    } finally {
      this.#sql("UPDATE volume_details SET claim = NULL WHERE name = ? AND claim = ?").run(name, own);
    }
  }

  #claim(name: string, own: string): boolean {
    const row = this.#sql("SELECT claim FROM volume_details WHERE name = ?").get(name) as
      | { claim: string | null }
      | undefined;
    const [pid = "0", start = "0"] = row?.claim?.split(" ") ?? [];
    if (row?.claim !== null && processIsAlive(Number(pid), BigInt(start))) return false;
    const { changes } = this.#sql("UPDATE volume_details SET claim = ? WHERE name = ? AND claim IS ?").run(
      own,
      name,
      row?.claim ?? null,
    );
    return Number(changes) > 0;
  }
}

export function checkVolumeName(name: string): void {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/.test(name))
    throw invalidArgument(`Cannot use volume "${name}": its name may have letters, digits, "_", "." and "-"`, {
      remedy: "For a host directory, write an absolute path",
    });
}

const isMount = (options: Readonly<Record<string, string>>): boolean => Object.keys(options).length > 0;

function mountOf(options: Readonly<Record<string, string>>): { type: string; device: string; options: string[] } {
  return {
    type: options["type"] ?? "",
    device: options["device"] ?? "",
    options: (options["o"] ?? "").split(",").filter((word) => word !== ""),
  };
}

function sameEntries(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

/** The kernel knows no names: `addr=` of a network filesystem is looked up, as mount.nfs(8) does. */
async function resolveAddress(volume: string, options: readonly string[]): Promise<string[]> {
  return await Promise.all(
    options.map(async (word) => {
      const host = word.startsWith("addr=") ? word.slice("addr=".length) : "";
      if (host === "" || isIP(host) !== 0) return word;
      const { lookup } = await import("node:dns/promises");
      try {
        return `addr=${(await lookup(host)).address}`;
      } catch (error) {
        throw unavailable(`Cannot mount volume "${volume}": host "${host}" is not found`, { cause: error });
      }
    }),
  );
}
