import { DatabaseSync, type StatementSync } from "node:sqlite";
import { accessSync, closeSync, constants, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { failedPrecondition, fromSystemError, internal, unavailable } from "#errdefs";

/**
 * Opens the file, made with its directory when it is missing.
 *
 * @param options.readOnly only to look: also on a disk that cannot be written
 */
export function openDatabase(path: string, options: { readonly readOnly?: boolean } = {}): Database {
  return new Database(path, options.readOnly ?? false);
}

/** SQLITE_BUSY, SQLITE_LOCKED, and SQLITE_PROTOCOL, which WAL's own races give (sqlite.org/rescode.html). */
const busyCodes: ReadonlySet<number> = new Set([5, 6, 15]);
/** Milliseconds that a statement waits for another process's transaction. */
const busyTimeout = 10_000;

/**
 * The store of metadata, one SQLite file that several processes have open at once. Each component keeps its own tables,
 * prefixed with its name, and its own schema version. All calls are synchronous; a transaction must not span an `await`.
 */
export class Database implements Disposable {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #inTransaction = false;

  /** The file. */
  get path(): string {
    return this.#path;
  }

  /** The connection itself, for a component that prepares its own statements. */
  get connection(): DatabaseSync {
    return this.#database;
  }

  constructor(path: string, readOnly: boolean = false) {
    this.#path = path;
    if (readOnly) {
      this.#database = openReadOnly(path);
      return;
    }
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // Passwords in containers' environments are in it, and nobody else's business. SQLite's other files get the same mode.
    closeSync(openSync(path, "a", 0o600));
    this.#database = new DatabaseSync(path, { timeout: busyTimeout });
    this.#enableWal();
    // A power cut may lose the last transactions, but never damages the file (SQLite, pragma synchronous).
    this.#database.exec("PRAGMA synchronous = NORMAL");
  }

  /** Switching to WAL does not wait for other connections that open the file at the same time. */
  #enableWal(): void {
    for (let attempt = 1; ; attempt++) {
      try {
        this.#database.exec("PRAGMA journal_mode = WAL");
        return;
      } catch (error) {
        const primary = Number((error as { readonly errcode?: unknown }).errcode) & 0xff;
        if (!busyCodes.has(primary)) {
          this.#database.close();
          throw error;
        }
        if (attempt === 100) {
          throw unavailable(`Cannot open "${this.#path}": other processes keep it busy`, { cause: error });
        }
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
      }
    }
  }

  /** What is wrong with the file, in SQLite's words; undefined when nothing is. Reads all of it. */
  damage(): string | undefined {
    try {
      const row = this.#database.prepare("PRAGMA quick_check(1)").get();
      const state = String(row?.["quick_check"]);
      return state === "ok" ? undefined : state.replaceAll("\n", " ");
    } catch (error) {
      return fromSystemError(error)?.message ?? String(error);
    }
  }

  /**
   * Brings a component's tables up to date, each step in order and only once, in one transaction.
   *
   * @param migrations SQL of every version since the first; never changed once released, only added to
   * @throws SampanError `failed-precondition` when the file is from a newer version of the program
   */
  migrate(component: string, migrations: readonly string[]): void {
    if (this.#version(component) === migrations.length) return;
    this.#database.exec(
      "CREATE TABLE IF NOT EXISTS schema_versions (component TEXT PRIMARY KEY, version INTEGER) STRICT",
    );
    this.transaction(() => {
      const version = this.#version(component) ?? 0;
      if (version > migrations.length) {
        throw failedPrecondition(`Cannot open "${this.#path}": its ${component} tables have version ${version}`, {
          path: this.#path,
          remedy: "Use the newer program that wrote it",
        });
      }
      for (const sql of migrations.slice(version)) this.#database.exec(sql);
      this.#database
        .prepare("INSERT OR REPLACE INTO schema_versions (component, version) VALUES (?, ?)")
        .run(component, migrations.length);
    });
  }

  #version(component: string): number | undefined {
    try {
      const row = this.#database.prepare("SELECT version FROM schema_versions WHERE component = ?").get(component);
      return row?.["version"] as number | undefined;
    } catch {
      return undefined;
    }
  }

  /** The prepared statement for this text; prepared once. */
  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /**
   * Runs `action` in a transaction that can write from its start (BEGIN IMMEDIATE), so that what it read stays true until
   * it commits; rolls back when it throws. A transaction within a transaction is part of the outer one.
   */
  transaction<T>(action: () => T): T {
    if (this.#inTransaction) return action();
    this.#database.exec("BEGIN IMMEDIATE");
    this.#inTransaction = true;
    try {
      const result = action();
      if (result instanceof Promise) throw internal("Cannot commit a transaction: it waits for something else");
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    } finally {
      this.#inTransaction = false;
    }
  }

  [Symbol.dispose](): void {
    if (this.#database.isOpen) this.#database.close();
  }
}

/**
 * A database in WAL mode wants to write even for reading, unless it is said to be immutable; which it is on a disk that
 * cannot be written, but then a journal that was left is not read.
 */
function openReadOnly(path: string): DatabaseSync {
  const url = pathToFileURL(path);
  const hasJournal = (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
  url.search = hasJournal || canWrite(dirname(path)) ? "?mode=ro" : "?mode=ro&immutable=1";
  return new DatabaseSync(url, { readOnly: true, timeout: busyTimeout });
}

function canWrite(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
