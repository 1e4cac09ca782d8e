import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { openDatabase } from "#images";
import type { EndpointRecord, NetworkRecord, PublishedPort } from "#network";
import { DatabaseNetworkStore } from "../network-store.ts";
import { restoreNetworks } from "./restore-networks.ts";

const directory = mkdtempSync(join(tmpdir(), "sampan-restore-networks-"));
afterAll(() => rmSync(directory, { recursive: true }));

const network = (name: string, prefix: string, gateway: string): NetworkRecord => ({
  name,
  driver: "bridge",
  bridge: `b-${name}`,
  index: 1,
  subnets: [{ prefix, gateway }],
  mtu: 1500,
  internal: false,
  labels: { of: name },
  createdAt: 7,
});
const port: PublishedPort = {
  protocol: "tcp",
  hostAddress: "0.0.0.0",
  hostPort: 80,
  address: "10.1.0.2",
  port: 8080,
};
const endpoint = (of: string, container: string, ports: PublishedPort[] = []): EndpointRecord => ({
  network: of,
  container,
  interface: "eth0",
  hostInterface: "h",
  index: 2,
  mac: "",
  addresses: ["10.1.0.2/24"],
  isWayOut: true,
  aliases: ["x"],
  ports,
});

it("restoreNetworks() gives a lost database its networks, and running containers their addresses and ports", () => {
  const path = join(directory, "metadata.db");
  const web = network("web", "10.1.0.0/24", "10.1.0.1");
  {
    using database = openDatabase(path);
    const store = new DatabaseNetworkStore(database);
    for (const one of [network("old", "10.2.0.0/24", "10.2.0.1"), web]) store.saveNetwork(one);
    for (const one of ["gone", "left", "ended", "runs"]) store.saveEndpoint(endpoint("web", one, [port]));
    store.saveEndpoint(endpoint("old", "runs"));
    store.deleteEndpoint("old", "runs");
    store.deleteEndpoint("web", "gone");
    store.leave("web", "left");
    store.deleteNetwork("old");
  }
  for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
  using database = openDatabase(path);
  expect(restoreNetworks(database, (container) => container !== "ended")).toEqual(["web"]);
  const store = new DatabaseNetworkStore(database);
  expect([store.networks(), store.endpoints()]).toEqual([[web], [endpoint("web", "runs", [port])]]);
  expect(store.addressHolder("web", "10.1.0.2")).toBe("runs");
  expect(store.portHolders("tcp", 80)).toEqual([{ hostAddress: "0.0.0.0", network: "web", container: "runs" }]);
});
