/** Containers on CNI networks, in the database of all namespaces: the plugins' networks are the host's. */
import type { Database } from "#images";
import type { CniAttachment, CniAttachments, NetworkStore } from "#network";

const migrations: readonly string[] = [
  `CREATE TABLE cni_attachments (
     container TEXT NOT NULL, interface TEXT NOT NULL, record TEXT NOT NULL,
     PRIMARY KEY (container, interface)
   ) STRICT, WITHOUT ROWID;`,
];

const parse = (row: Record<string, unknown>): CniAttachment => JSON.parse(row["record"] as string) as CniAttachment;

export class CniBook implements CniAttachments {
  readonly #database: Database;

  /** @param _ports whose tables have to be there */
  constructor(database: Database, _ports: NetworkStore) {
    this.#database = database;
    database.migrate("cni", migrations);
  }

  all(): readonly CniAttachment[] {
    return this.#database.prepare("SELECT record FROM cni_attachments ORDER BY container, interface").all().map(parse);
  }

  of(container: string): readonly CniAttachment[] {
    return this.#database
      .prepare("SELECT record FROM cni_attachments WHERE container = ? ORDER BY interface")
      .all(container)
      .map(parse);
  }

  save(attachment: CniAttachment): void {
    this.#database
      .prepare("INSERT OR REPLACE INTO cni_attachments (container, interface, record) VALUES (?, ?, ?)")
      .run(attachment.container, attachment.interface, JSON.stringify(attachment));
  }

  /** Gives back ports of the host; they are taken before anything else is written down. */
  dropPorts(container: string): void {
    this.#database.prepare("DELETE FROM network_ports WHERE container = ? AND network LIKE 'cni:%'").run(container);
  }

  delete(container: string, interfaceName: string): void {
    this.#database
      .prepare("DELETE FROM cni_attachments WHERE container = ? AND interface = ?")
      .run(container, interfaceName);
  }
}
