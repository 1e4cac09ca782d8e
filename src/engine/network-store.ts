/** Networks and who is on them, in the database. */
import type { Database } from "#images";
import { migrateNames } from "./name-source.ts";
import { logNetworkChange, type NetworkChange } from "./network-log.ts";
import type { EndpointRecord, Family, NetworkRecord, NetworkStore, PublishedPort, TakenPort } from "#network";

const migrations: readonly string[] = [
  `
  CREATE TABLE networks (name TEXT PRIMARY KEY, record TEXT NOT NULL, last4 TEXT, last6 TEXT) STRICT;
  CREATE TABLE network_endpoints (
    network TEXT NOT NULL REFERENCES networks (name), container TEXT NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY (network, container)
  ) STRICT;
  CREATE INDEX network_endpoints_container ON network_endpoints (container);
  CREATE TABLE network_addresses (
    network TEXT NOT NULL, address TEXT NOT NULL, container TEXT NOT NULL,
    PRIMARY KEY (network, address)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX network_addresses_container ON network_addresses (network, container);
  CREATE TABLE network_ports (
    protocol TEXT NOT NULL, host_port INTEGER NOT NULL, host_address TEXT NOT NULL,
    network TEXT NOT NULL, container TEXT NOT NULL,
    PRIMARY KEY (protocol, host_port, host_address)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX network_ports_container ON network_ports (network, container);
  `,
  "ALTER TABLE network_endpoints ADD COLUMN departed INTEGER NOT NULL DEFAULT 0",
];

const parse = (row: Record<string, unknown>): unknown => JSON.parse(row["record"] as string);

export class DatabaseNetworkStore implements NetworkStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
    database.migrate("network", migrations);
    migrateNames(database);
  }

  #sql(text: string): ReturnType<Database["prepare"]> {
    return this.#database.prepare(text);
  }

  transaction<T>(action: () => T): T {
    return this.#database.transaction(action);
  }

  networks(): readonly NetworkRecord[] {
    return this.#sql("SELECT record FROM networks ORDER BY name").all().map(parse) as NetworkRecord[];
  }

  network(name: string): NetworkRecord | undefined {
    const row = this.#sql("SELECT record FROM networks WHERE name = ?").get(name);
    return row && (parse(row) as NetworkRecord);
  }

  saveNetwork(record: NetworkRecord): void {
    this.transaction(() => {
      this.#sql("INSERT INTO networks (name, record) VALUES (?, ?)").run(record.name, JSON.stringify(record));
      this.#log({ network: record.name, record });
    });
  }

  deleteNetwork(name: string): void {
    this.transaction(() => {
      this.#sql("DELETE FROM networks WHERE name = ?").run(name);
      this.#log({ network: name });
    });
  }

  #log(change: NetworkChange): void {
    logNetworkChange(this.#database.path, change, () => [
      ...this.networks().map((record) => ({ network: record.name, record })),
      ...this.endpoints().map((record) => ({ network: record.network, container: record.container, record })),
    ]);
  }

  endpoints({ network, container }: { network?: string; container?: string } = {}): readonly EndpointRecord[] {
    return this.#sql(
      "SELECT record FROM network_endpoints WHERE NOT departed AND network = ifnull(?1, network) AND container = ifnull(?2, container) ORDER BY network, container",
    )
      .all(network ?? null, container ?? null)
      .map(parse) as EndpointRecord[];
  }

  saveEndpoint(record: EndpointRecord): void {
    const { network, container } = record;
    this.transaction(() => {
      this.#sql("INSERT OR REPLACE INTO network_endpoints (network, container, record) VALUES (?, ?, ?)").run(
        network,
        container,
        JSON.stringify(record),
      );
      this.#log({ network, container, record });
    });
  }

  deleteEndpoint(network: string, container: string): void {
    this.transaction(() => {
      for (const table of ["network_ports", "network_addresses"])
        this.#sql(`DELETE FROM ${table} WHERE network = ? AND container = ?`).run(network, container);
      const row = this.#sql("DELETE FROM network_endpoints WHERE network = ? AND container = ? RETURNING departed").get(
        network,
        container,
      );
      if (row?.["departed"] === 0) this.#log({ network, container });
    });
  }

  leave(network: string, container: string): void {
    this.transaction(() => {
      this.#sql("DELETE FROM network_ports WHERE network = ? AND container = ?").run(network, container);
      this.#sql("UPDATE network_endpoints SET departed = 1 WHERE network = ? AND container = ?").run(
        network,
        container,
      );
      this.#log({ network, container });
    });
  }

  departed(): readonly EndpointRecord[] {
    return this.#sql("SELECT record FROM network_endpoints WHERE departed").all().map(parse) as EndpointRecord[];
  }

  takeAddress(network: string, address: string, container: string): boolean {
    const { changes } = this.#sql(
      "INSERT OR IGNORE INTO network_addresses (network, address, container) VALUES (?, ?, ?)",
    ).run(network, address, container);
    return Number(changes) === 1;
  }

  addressHolder(network: string, address: string): string | undefined {
    const row = this.#sql("SELECT container FROM network_addresses WHERE network = ? AND address = ?").get(
      network,
      address,
    );
    return row?.["container"] as string | undefined;
  }

  lastAddress(network: string, family: Family): string | undefined {
    const row = this.#sql(`SELECT last${family} AS last FROM networks WHERE name = ?`).get(network);
    return (row?.["last"] as string | null | undefined) ?? undefined;
  }

  setLastAddress(network: string, family: Family, address: string): void {
    this.#sql(`UPDATE networks SET last${family} = ? WHERE name = ?`).run(address, network);
  }

  portHolders(protocol: PublishedPort["protocol"], hostPort: number): readonly TakenPort[] {
    return this.#sql("SELECT host_address, network, container FROM network_ports WHERE protocol = ? AND host_port = ?")
      .all(protocol, hostPort)
      .map((row) => ({
        hostAddress: row["host_address"] as string,
        network: row["network"] as string,
        container: row["container"] as string,
      }));
  }

  takePort(network: string, container: string, port: PublishedPort): void {
    this.#sql(
      "INSERT INTO network_ports (protocol, host_port, host_address, network, container) VALUES (?, ?, ?, ?, ?)",
    ).run(port.protocol, port.hostPort, port.hostAddress, network, container);
  }

  dropPort(port: PublishedPort): void {
    this.#sql("DELETE FROM network_ports WHERE protocol = ? AND host_port = ? AND host_address = ?").run(
      port.protocol,
      port.hostPort,
      port.hostAddress,
    );
  }
}
