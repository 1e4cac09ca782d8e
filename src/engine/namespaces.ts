/**
 * Namespaces, as containerd has them: tenants of one root directory. What images are made of is everybody's and on disk
 * once; names of images, containers and volumes are a namespace's own, and nobody else sees them.
 *
 * The default namespace keeps its book where there was one before there were namespaces, another one in
 * `namespaces/NAME`; so nothing of them is in the way of who uses none.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { alreadyExists, failedPrecondition, invalidArgument, notFound } from "#errdefs";
import { defaultNamespace, openDatabase, type Database } from "#images";
import { enginePaths } from "./paths.ts";

export interface NamespaceRecord {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch; undefined for the default one, which was always there. */
  readonly createdAt: number | undefined;
}

const schema: readonly string[] = [
  "CREATE TABLE namespaces (name TEXT PRIMARY KEY, created INTEGER NOT NULL, labels TEXT NOT NULL) STRICT;",
];

/** Tables of a namespace's own book that must be empty before it goes, where there are such. */
const contents = new Set(["containers", "volumes"]);

/**
 * containerd's rule for identifiers (pkg/identifiers): letters and digits, with single `.`, `_` and `-` between them, 76
 * characters at most.
 *
 * @throws SampanError `invalid-argument`
 */
export function checkNamespace(name: string): void {
  if (/^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$/.test(name) && name.length <= 76) return;
  throw invalidArgument(
    `Cannot use namespace "${name}": its name must be letters and digits, with single ".", "_" and "-" between them, 76 characters at most`,
  );
}

export class Namespaces {
  readonly #database: Database;
  readonly #root: string;

  /** @param shared the database that all namespaces have in common */
  constructor(shared: Database, root: string) {
    this.#database = shared;
    this.#root = root;
    shared.migrate("namespaces", schema);
  }

  /** The default one first, the others by name. */
  list(): readonly NamespaceRecord[] {
    const rows = this.#database.prepare("SELECT * FROM namespaces WHERE name <> ? ORDER BY name").all(defaultNamespace);
    const own = this.#database.prepare("SELECT labels FROM namespaces WHERE name = ?").get(defaultNamespace);
    return [
      { name: defaultNamespace, labels: labelsOf(own), createdAt: undefined },
      ...rows.map((row) => ({
        name: row["name"] as string,
        labels: labelsOf(row),
        createdAt: Number(row["created"]),
      })),
    ];
  }

  /** @throws SampanError `already-exists`, `invalid-argument` */
  create(name: string, labels: Readonly<Record<string, string>> = {}): void {
    checkNamespace(name);
    if (name !== defaultNamespace && this.#insert(name, labels)) return;
    throw alreadyExists(`Cannot make namespace "${name}": there is one`);
  }

  /** A namespace comes to be when it is used first. */
  ensure(name: string): void {
    checkNamespace(name);
    const known = this.#database.prepare("SELECT 1 FROM namespaces WHERE name = ?").get(name);
    if (known === undefined && name !== defaultNamespace) this.#insert(name, {});
  }

  #insert(name: string, labels: Readonly<Record<string, string>>): boolean {
    const { changes } = this.#database
      .prepare("INSERT OR IGNORE INTO namespaces (name, created, labels) VALUES (?, ?, ?)")
      .run(name, Date.now(), JSON.stringify(labels));
    return Number(changes) > 0;
  }

  /**
   * Sets labels; one with an empty value goes.
   *
   * @throws SampanError `not-found`
   */
  label(name: string, labels: Readonly<Record<string, string>>): void {
    this.#database.transaction(() => {
      if (name === defaultNamespace) this.#insert(name, {});
      const row = this.#database.prepare("SELECT labels FROM namespaces WHERE name = ?").get(name);
      if (row === undefined) throw missing(name);
      const merged = Object.entries({ ...labelsOf(row), ...labels }).filter(([, value]) => value !== "");
      this.#database
        .prepare("UPDATE namespaces SET labels = ? WHERE name = ?")
        .run(JSON.stringify(Object.fromEntries(merged)), name);
    });
  }

  /**
   * Removes a namespace that has nothing in it.
   *
   * @throws SampanError `not-found`; `failed-precondition` when it has something, or is the default one
   */
  remove(name: string): void {
    if (name === defaultNamespace) {
      throw failedPrecondition(`Cannot remove namespace "${name}": it is the default one`);
    }
    this.#database.transaction(() => {
      const row = this.#database.prepare("SELECT 1 FROM namespaces WHERE name = ?").get(name);
      if (row === undefined) throw missing(name);
      const images = this.#imagesIn(name);
      const found = [...images, ...this.#bookOf(name, images.length === 0)];
      if (found.length > 0) {
        throw failedPrecondition(`Cannot remove namespace "${name}": it has ${found.join(", ")}`, {
          remedy: `See sampan --namespace ${name} system prune -a, ps -a and images`,
        });
      }
      this.#database.prepare("DELETE FROM namespaces WHERE name = ?").run(name);
    });
    rmSync(dirname(enginePaths(this.#root, undefined, name).database), { recursive: true, force: true });
  }

  #imagesIn(name: string): readonly string[] {
    const row = this.#database.prepare("SELECT count(*) AS count FROM image_platforms WHERE namespace = ?").get(name);
    return describe(Number(row?.["count"]), "images");
  }

  /** What a namespace's own book has. With `close` nothing can be put into an empty one any more, by who has it open. */
  #bookOf(name: string, close: boolean): readonly string[] {
    const path = enginePaths(this.#root, undefined, name).database;
    if (!existsSync(path)) return [];
    using book = openDatabase(path);
    return book.transaction(() => {
      const tables = book
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
        .all()
        .map(({ name: table }) => table as string)
        .filter((table) => contents.has(table));
      const found = tables.flatMap((table) =>
        describe(Number(book.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.["count"]), table),
      );
      if (found.length > 0 || !close) return found;
      for (const table of tables) {
        book.connection.exec(
          `CREATE TRIGGER IF NOT EXISTS no_${table} BEFORE INSERT ON ${table}
          BEGIN SELECT RAISE(ABORT, 'the namespace has been removed'); END`,
        );
      }
      return [];
    });
  }
}

/** All namespaces that have a book on disk, whether the shared database knows of them or not. */
export function namespacesOnDisk(root: string): readonly string[] {
  const directory = join(root, "namespaces");
  const names = existsSync(directory) ? readdirSync(directory) : [];
  return [defaultNamespace, ...names.filter((name) => existsSync(join(directory, name, "metadata.db"))).toSorted()];
}

/** Makes the directory of a namespace's book. */
export function makeNamespaceDirectory(database: string): void {
  mkdirSync(dirname(database), { recursive: true, mode: 0o700 });
}

const describe = (count: number, what: string): readonly string[] =>
  count === 0 ? [] : [`${count} ${count === 1 ? what.replace(/s$/, "") : what}`];

function labelsOf(row: Record<string, unknown> | undefined): Readonly<Record<string, string>> {
  return row === undefined ? {} : (JSON.parse(row["labels"] as string) as Record<string, string>);
}

function missing(name: string): Error {
  return notFound(`Cannot find namespace "${name}": there is none with this name`, {
    remedy: "See sampan namespace ls",
  });
}
