/**
 * What is remembered of containers that are looked after, in the database: whether they are to run, and how far their restarts
 * have come, so that another supervisor goes on with them. And which process is the supervisor: one on a root at a time.
 */
import { processIsAlive, processStartTime } from "#host";
import type { Database } from "#images";

const migrations: readonly string[] = [
  `CREATE TABLE supervision (
     container TEXT PRIMARY KEY,
     wanted INTEGER NOT NULL,
     restarts INTEGER NOT NULL,
     delay INTEGER NOT NULL,
     due INTEGER
   ) STRICT;
   CREATE TABLE supervisor (
     one INTEGER PRIMARY KEY CHECK (one = 1),
     pid INTEGER NOT NULL,
     start TEXT NOT NULL
   ) STRICT;`,
];

export interface Supervised {
  readonly container: string;
  /** Somebody has started it and nobody stopped it. */
  readonly wanted: boolean;
  /** Since somebody started it. */
  readonly restarts: number;
  /** Milliseconds of the last wait. */
  readonly delay: number;
  /** When it is to be started again, in milliseconds since the epoch; undefined when it does not wait for that. */
  readonly due: number | undefined;
}

interface Row {
  readonly container: string;
  readonly wanted: number;
  readonly restarts: number;
  readonly delay: number;
  readonly due: number | null;
}

const fromRow = (row: Row): Supervised => ({ ...row, wanted: row.wanted === 1, due: row.due ?? undefined });

export class SupervisionBook {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
    database.migrate("supervision", migrations);
  }

  #sql(text: string): ReturnType<Database["prepare"]> {
    return this.#database.prepare(text);
  }

  get(container: string): Supervised | undefined {
    const row = this.#sql("SELECT * FROM supervision WHERE container = ?").get(container) as Row | undefined;
    return row && fromRow(row);
  }

  wanted(): Supervised[] {
    return (this.#sql("SELECT * FROM supervision WHERE wanted = 1").all() as unknown as Row[]).map(fromRow);
  }

  isAnyWanted(): boolean {
    return this.#sql("SELECT 1 FROM supervision WHERE wanted = 1 LIMIT 1").get() !== undefined;
  }

  /** Somebody starts it: its restarts count from here. */
  begin(container: string): void {
    this.#sql(
      "INSERT OR REPLACE INTO supervision (container, wanted, restarts, delay, due) VALUES (?, 1, 0, 0, NULL)",
    ).run(container);
  }

  /** It is not to be started again. Does nothing for one that is not looked after. */
  end(container: string): void {
    this.#sql("UPDATE supervision SET wanted = 0, due = NULL WHERE container = ?").run(container);
  }

  /** It is to run again, with its counts as they are: what stopped it failed. */
  resume(container: string): void {
    this.#sql("UPDATE supervision SET wanted = 1 WHERE container = ?").run(container);
  }

  schedule(container: string, delay: number, due: number): void {
    this.#sql("UPDATE supervision SET delay = ?, due = ? WHERE container = ? AND wanted = 1").run(
      delay,
      due,
      container,
    );
  }

  /** It has been started again. */
  restarted(container: string): void {
    this.#sql("UPDATE supervision SET restarts = restarts + 1, due = NULL WHERE container = ? AND due IS NOT NULL").run(
      container,
    );
  }

  forget(container: string): void {
    this.#sql("DELETE FROM supervision WHERE container = ?").run(container);
  }

  /** Pid of the process that is the supervisor and lives. */
  supervisor(): number | undefined {
    const row = this.#sql("SELECT pid, start FROM supervisor").get() as { pid: number; start: string } | undefined;
    return row !== undefined && processIsAlive(row.pid, BigInt(row.start)) ? row.pid : undefined;
  }

  /** Makes this process the supervisor, unless another one is; whose pid is given back then. */
  claim(): number | undefined {
    return this.#database.transaction(() => {
      const other = this.supervisor();
      if (other !== undefined && other !== process.pid) return other;
      this.#sql("INSERT OR REPLACE INTO supervisor (one, pid, start) VALUES (1, ?, ?)").run(
        process.pid,
        String(processStartTime(process.pid) ?? 0n),
      );
      return undefined;
    });
  }

  /**
   * This process is the supervisor no more.
   *
   * @param onlyIdle not while any container is to run: whoever starts one sees either this supervisor or none
   * @returns whether it was given up
   */
  release(onlyIdle: boolean): boolean {
    return this.#database.transaction(() => {
      if (onlyIdle && this.isAnyWanted()) return false;
      this.#sql("DELETE FROM supervisor WHERE pid = ?").run(process.pid);
      return true;
    });
  }
}
