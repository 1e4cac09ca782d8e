import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openDatabase } from "#images";
import type { EndpointRecord, NetworkRecord, PublishedPort } from "#network";
import { allocateAddresses } from "../network/address/allocate.ts";
import { publishPorts } from "../network/ports/publish.ts";
import { parsePublish } from "../network/ports/parse.ts";
import { DatabaseNetworkStore } from "./network-store.ts";

const directory = mkdtempSync(join(tmpdir(), "sampan-network-"));
afterAll(() => rmSync(directory, { recursive: true }));
let count = 0;
const path = (): string => join(directory, `${(count += 1)}.db`);

const network = (name: string, ...prefixes: [prefix: string, gateway: string][]): NetworkRecord => ({
  name,
  driver: "bridge",
  bridge: "b",
  index: 1,
  subnets: prefixes.map(([prefix, gateway]) => ({ prefix, gateway })),
  mtu: 1500,
  internal: false,
  labels: {},
  createdAt: 0,
});
const endpoint = (of: string, container: string, addresses: string[], ports: PublishedPort[] = []): EndpointRecord => ({
  network: of,
  container,
  interface: "eth0",
  hostInterface: "h",
  index: 2,
  mac: "",
  addresses,
  isWayOut: true,
  aliases: [],
  ports,
});

describe("allocateAddresses()", () => {
  it("gives every address once, the longest unused first, until none is left", () => {
    using database = openDatabase(path());
    const store = new DatabaseNetworkStore(database);
    const small = network("small", ["10.1.0.0/29", "10.1.0.1"], ["fd00::/126", "fd00::1"]);
    store.saveNetwork(small);
    const give = (container: string, ...wanted: string[]) => {
      const addresses = allocateAddresses(store, small, container, wanted);
      store.saveEndpoint(endpoint("small", container, addresses));
      return addresses.join(" ");
    };
    expect([give("a"), give("b")]).toEqual(["10.1.0.2/29 fd00::2/126", "10.1.0.3/29 fd00::3/126"]);
    expect(() => give("c")).toThrow('Cannot give an address of network "small": all of fd00::/126 are taken');
    store.deleteEndpoint("small", "c");
    store.deleteEndpoint("small", "a");
    expect(give("d", "10.1.0.6")).toBe("10.1.0.6/29 fd00::2/126");
    expect(() => give("e", "10.1.0.6", "fd00::3")).toThrow("another container has it");
    expect(() => give("e", "10.1.0.7")).toThrow("it stands for the whole subnet");
    expect(() => give("e", "10.1.0.4", "10.1.0.5")).toThrow("they are of one family");
  });

  it("goes on after the last one in another process", () => {
    const file = path();
    const one = network("one", ["10.1.0.0/24", "10.1.0.1"]);
    const give = (container: string): string => {
      using database = openDatabase(file);
      const store = new DatabaseNetworkStore(database);
      if (store.network("one") === undefined) store.saveNetwork(one);
      const [address = ""] = allocateAddresses(store, one, container, []);
      store.deleteEndpoint("one", container);
      return address;
    };
    expect([give("a"), give("b"), give("c")]).toEqual(["10.1.0.2/24", "10.1.0.3/24", "10.1.0.4/24"]);
  });

  it("takes nothing when its transaction fails", () => {
    using database = openDatabase(path());
    const store = new DatabaseNetworkStore(database);
    const one = network("one", ["10.1.0.0/24", "10.1.0.1"]);
    store.saveNetwork(one);
    expect(() =>
      store.transaction(() => {
        allocateAddresses(store, one, "a", ["10.1.0.2"]);
        throw new Error("crash");
      }),
    ).toThrow("crash");
    expect(store.takeAddress("one", "10.1.0.2", "b")).toBe(true);
    expect(store.takeAddress("one", "10.1.0.2", "c")).toBe(false);
  });
});

describe("publishPorts()", () => {
  it("takes ports that nobody has, on addresses that collide with nobody's", () => {
    using database = openDatabase(path());
    const store = new DatabaseNetworkStore(database);
    store.saveNetwork(network("one", ["10.1.0.0/24", "10.1.0.1"]));
    const listeners = {
      tcp: [
        { address: "::", port: 5000, both: true },
        { address: "127.0.0.1", port: 6000, both: false },
      ],
    };
    let next = 50_000;
    const random = () => (next += 1);
    const publish = (container: string, ...texts: string[]) =>
      publishPorts(
        { store, listeners, random },
        "one",
        container,
        [container === "six" ? "fd00::2/64" : "10.1.0.2/24"],
        texts.flatMap(parsePublish),
      ).map((port) => `${port.hostAddress} ${port.hostPort}/${port.protocol} ${port.address} ${port.port}`);
    expect(publish("a", "80:8080", "80:53/udp", "192.0.2.1:81:1", "70-71:2", "70-71:3", "9")).toEqual([
      "0.0.0.0 80/tcp 10.1.0.2 8080",
      "0.0.0.0 80/udp 10.1.0.2 53",
      "192.0.2.1 81/tcp 10.1.0.2 1",
      "0.0.0.0 70/tcp 10.1.0.2 2",
      "0.0.0.0 71/tcp 10.1.0.2 3",
      "0.0.0.0 50001/tcp 10.1.0.2 9",
    ]);
    expect(publish("b", "192.0.2.2:81:1", "192.0.2.1:6000:1")).toHaveLength(2);
    expect(publish("six", "80:80")).toEqual([":: 80/tcp fd00::2 80"]);
    const refused = (text: string) => () => publish("c", text);
    expect(refused("192.0.2.9:80:1")).toThrow('Cannot publish port "192.0.2.9:80/tcp": container a has it');
    expect(refused("81:1")).toThrow('Cannot publish port "81/tcp": container a has it');
    expect(refused("70-71:1")).toThrow('Cannot publish ports "70-71/tcp": none of them is free');
    expect(refused("5000:1")).toThrow('Cannot publish port "5000/tcp": a program of the host listens on it');
    expect(refused("6000:1")).toThrow('Cannot publish port "6000/tcp": container b has it');
    expect(refused("[2001:db8::1]:90:1")).toThrow('on "2001:db8::1": the network has no IPv6 subnet');
    store.saveEndpoint(endpoint("one", "a", []));
    store.deleteEndpoint("one", "a");
    expect(publish("c", "80:1")).toEqual(["0.0.0.0 80/tcp 10.1.0.2 1"]);
  });
});

describe("DatabaseNetworkStore", () => {
  it("keeps networks and endpoints, and a network while somebody is on it", () => {
    const file = path();
    const records = [network("b", ["10.2.0.0/24", "10.2.0.1"]), network("a", ["10.1.0.0/24", "10.1.0.1"])];
    const [b, a] = records as [NetworkRecord, NetworkRecord];
    {
      using database = openDatabase(file);
      const store = new DatabaseNetworkStore(database);
      for (const record of records) store.saveNetwork(record);
      for (const container of ["x", "y"]) store.saveEndpoint(endpoint("a", container, ["10.1.0.2/24"]));
      store.saveEndpoint(endpoint("b", "x", []));
    }
    using database = openDatabase(file);
    const store = new DatabaseNetworkStore(database);
    const brief = (of?: { network?: string; container?: string }) =>
      store.endpoints(of).map((e) => `${e.network}:${e.container}`);
    expect([store.networks(), store.network("a"), store.network("c")]).toEqual([[a, b], a, undefined]);
    expect(brief()).toEqual(["a:x", "a:y", "b:x"]);
    expect([brief({ network: "a" }), brief({ container: "x" }), brief({ network: "b", container: "y" })]).toEqual([
      ["a:x", "a:y"],
      ["a:x", "b:x"],
      [],
    ]);
    expect(() => store.deleteNetwork("b")).toThrow("FOREIGN KEY");
    store.deleteEndpoint("b", "x");
    store.deleteNetwork("b");
    expect(store.networks()).toEqual([a]);
  });
});
