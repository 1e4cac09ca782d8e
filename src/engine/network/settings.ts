/** What was changed of a container's networks and ports since it was made: it holds for its next starts too. */
import type { Database } from "#images";
import type { NetworkOption } from "../options.ts";

export interface NetworkSettings {
  readonly networks: readonly NetworkOption[];
  /** As `--publish` takes them. */
  readonly publish: readonly string[];
}

const migrations: readonly string[] = [
  "CREATE TABLE network_settings (container TEXT PRIMARY KEY, settings TEXT NOT NULL) STRICT",
];

export class SettingsStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
    database.migrate("network_settings", migrations);
  }

  /** Undefined when nothing was changed. */
  get(container: string): NetworkSettings | undefined {
    const row = this.#database.prepare("SELECT settings FROM network_settings WHERE container = ?").get(container);
    return row && (JSON.parse(row["settings"] as string) as NetworkSettings);
  }

  set(container: string, settings: NetworkSettings): void {
    this.#database
      .prepare("INSERT OR REPLACE INTO network_settings (container, settings) VALUES (?, ?)")
      .run(container, JSON.stringify(settings));
  }

  delete(container: string): void {
    this.#database.prepare("DELETE FROM network_settings WHERE container = ?").run(container);
  }
}
