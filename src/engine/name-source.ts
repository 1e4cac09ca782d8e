/** What the process that answers names reads of networks, in the database and in the state directory. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { openDatabase, type Database } from "#images";
import type { EndpointRecord, NameSource, NetworkRecord } from "#network";
import { readState } from "#runtime";

/**
 * A number that every change of networks, and of who is on them, makes another. SQLite itself can only tell that anything in
 * the file has changed, which happens with every container.
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE names_generation (id INTEGER PRIMARY KEY CHECK (id = 1), number INTEGER NOT NULL) STRICT;
  INSERT INTO names_generation VALUES (1, 1);
  ${["networks", "network_endpoints"]
    .flatMap((table) =>
      ["INSERT", "DELETE", table === "networks" ? "UPDATE OF record" : "UPDATE"].map(
        (event, index) => `CREATE TRIGGER names_${table}_${index} AFTER ${event} ON ${table}
        BEGIN UPDATE names_generation SET number = number + 1; END;`,
      ),
    )
    .join("\n")}
  `,
];

/** After the tables of networks. */
export function migrateNames(database: Database): void {
  database.migrate("names", migrations);
}

/** Milliseconds for which a container that ran is taken to run on. */
const believed = 200;
const mostRemembered = 10_000;

const parse = (row: Record<string, unknown>): unknown => JSON.parse(row["record"] as string);

export class DatabaseNameSource implements NameSource, Disposable {
  readonly #path: string;
  readonly #state: string;
  #opened: Database;
  #file: number | undefined;
  #reopened = 0;
  readonly #seenAlive = new Map<string, number>();
  #version: unknown;
  #generation = 0;

  /**
   * @param path of the database, which an engine has opened before
   * @param state directory of containers' states
   */
  constructor(path: string, state: string) {
    this.#path = path;
    this.#state = state;
    this.#file = fileNumber(path);
    this.#opened = openDatabase(path);
  }

  /** A damaged database is set aside while this one is open, and another one made in its place. */
  get #database(): Database {
    const file = fileNumber(this.#path);
    if (file === undefined || file === this.#file) return this.#opened;
    const opened = openDatabase(this.#path);
    this.#opened[Symbol.dispose]();
    this.#opened = opened;
    this.#file = file;
    this.#version = undefined;
    this.#reopened += 1;
    return opened;
  }

  generation(): number {
    // Looks at shared memory only, and reads no table.
    const database = this.#database;
    const version = database.prepare("PRAGMA data_version").get()?.["data_version"];
    if (version !== this.#version) {
      const row = database.prepare("SELECT number FROM names_generation").get();
      this.#generation = Number(row?.["number"]);
      this.#version = version;
    }
    // Another database counts from the beginning.
    return this.#reopened * 2 ** 32 + this.#generation;
  }

  networks(): readonly NetworkRecord[] {
    return this.#database.prepare("SELECT record FROM networks").all().map(parse) as NetworkRecord[];
  }

  endpoints(): readonly EndpointRecord[] {
    return this.#database
      .prepare("SELECT record FROM network_endpoints WHERE NOT departed")
      .all()
      .map(parse) as EndpointRecord[];
  }

  isAlive(container: string): boolean {
    const now = performance.now();
    if (now - (this.#seenAlive.get(container) ?? Number.NEGATIVE_INFINITY) < believed) return true;
    const { status } = readState(join(this.#state, container));
    if (status !== "running" && status !== "created") return false;
    if (this.#seenAlive.size > mostRemembered) this.#seenAlive.clear();
    this.#seenAlive.set(container, now);
    return true;
  }

  [Symbol.dispose](): void {
    this.#opened[Symbol.dispose]();
  }
}

const fileNumber = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino;
