import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSampanError } from "#errdefs";
import { addressesOf, readResult, resultInVersion, type CniResult } from "./result.ts";
import { cniVersions, type CniVersion } from "./version.ts";

const rich: CniResult = {
  interfaces: [
    { name: "cni0", mac: "02:00:00:00:00:01" },
    { name: "eth0", mac: "02:00:00:00:00:02", mtu: 1400, sandbox: "/run/net", socketPath: "/s", pciID: "0:1" },
  ],
  ips: [
    { address: "10.1.0.2/16", gateway: "10.1.0.1", interface: 1 },
    { address: "fd00::2/64", interface: 1 },
  ],
  routes: [{ dst: "0.0.0.0/0", gw: "10.1.0.1", mtu: 1400, advmss: 1360, priority: 10, table: 5, scope: 0 }],
  dns: { nameservers: ["10.1.0.1"], domain: "a.example", search: ["b.example"], options: ["ndots:5"] },
};
const plain: CniResult = {
  interfaces: [
    { name: "cni0", mac: "02:00:00:00:00:01" },
    { name: "eth0", mac: "02:00:00:00:00:02", sandbox: "/run/net" },
  ],
  ips: rich.ips,
  routes: [{ dst: "0.0.0.0/0", gw: "10.1.0.1" }],
  dns: rich.dns,
};
const withFamilies = [
  { version: "4", address: "10.1.0.2/16", gateway: "10.1.0.1", interface: 1 },
  { version: "6", address: "fd00::2/64", interface: 1 },
];

describe("resultInVersion()", () => {
  it.each<[CniVersion, object]>([
    ["0.3.0", { ...plain, ips: withFamilies }],
    ["0.3.1", { ...plain, ips: withFamilies }],
    ["0.4.0", { ...plain, ips: withFamilies }],
    ["1.0.0", plain],
    ["1.1.0", rich],
  ])("writes what CNI %s has a place for", (version, expected) => {
    expect(resultInVersion(rich, version)).toEqual({ cniVersion: version, ...expected });
  });

  it.each(cniVersions)("writes in CNI %s what readResult() reads", (version) => {
    const result = version === "1.1.0" ? rich : plain;
    expect(readResult(resultInVersion(rich, version), "it")).toEqual({ version, result });
  });

  it("loses nothing from a version to the same one, whatever the result", () => {
    const address = fc.constantFrom("10.0.0.1/8", "fd00::1/64", "192.168.7.9/32");
    const results: fc.Arbitrary<CniResult> = fc
      .record({
        interfaces: fc.array(
          fc.record(
            {
              name: fc.constantFrom("eth0", "cni0", "lo"),
              sandbox: fc.constant("/n"),
              mtu: fc.integer({ min: 1, max: 9000 }),
            },
            { requiredKeys: ["name"] },
          ),
          { maxLength: 4 },
        ),
        ips: fc.array(fc.record({ address, interface: fc.nat(3) }, { requiredKeys: ["address"] }), { maxLength: 4 }),
        routes: fc.array(fc.record({ dst: address, table: fc.nat() }, { requiredKeys: ["dst"] }), { maxLength: 4 }),
        dns: fc.record({
          nameservers: fc.array(fc.constantFrom("1.1.1.1", "::1")),
          search: fc.array(fc.constantFrom("a", "b.c")),
          options: fc.array(fc.constant("ndots:1")),
        }),
      })
      .map(({ interfaces, ips, ...others }) => ({
        interfaces,
        ips: ips.map(({ address: one, interface: at }) =>
          at === undefined || at >= interfaces.length ? { address: one } : { address: one, interface: at },
        ),
        ...others,
      }));
    fc.assert(
      fc.property(results, (result) => {
        expect(readResult(resultInVersion(result, "1.1.0"), "it").result).toEqual(result);
      }),
    );
  });
});

describe("readResult()", () => {
  const refusal = (value: object): string => {
    try {
      readResult(value as Readonly<Record<string, unknown>>, "the answer");
    } catch (error) {
      if (isSampanError(error, "failed-precondition")) return error.message;
      throw error;
    }
    return "it was read";
  };
  const v = { cniVersion: "1.0.0" };

  it("takes what is missing, null or empty for nothing, as programs in Go write it", () => {
    const nothing = { interfaces: [], ips: [], routes: [], dns: { nameservers: [], search: [], options: [] } };
    for (const value of [v, { ...v, interfaces: null, ips: [], dns: {} }, { ...v, dns: { domain: "", search: null } }])
      expect(readResult(value, "it")).toEqual({ version: "1.0.0", result: nothing });
    expect(readResult({ ...v, ips: [{ address: "10.0.0.1/8", gateway: "" }] }, "it").result.ips).toEqual([
      { address: "10.0.0.1/8" },
    ]);
  });

  it.each([
    [{}, "cniVersion is missing, must be a string"],
    [{ cniVersion: "7.0.0" }, 'cniVersion is "7.0.0", must be one of 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0'],
    [{ ...v, ips: {} }, "ips is an object, must be a list"],
    [{ ...v, ips: [{ address: "10.0.0.1" }] }, 'ips[0].address is "10.0.0.1", must be an address, "/" and a length'],
    [
      { ...v, ips: [{ address: "10.0.0.1/33" }] },
      'ips[0].address is "10.0.0.1/33", must be an address, "/" and a length',
    ],
    [{ ...v, ips: [{ address: "10.0.0.1/8\n127.0.0.1 bank" }] }, "ips[0].address has a control character"],
    [{ ...v, ips: [{ address: "10.0.0.1/8", gateway: "x" }] }, 'ips[0].gateway is "x", must be an address'],
    [
      { ...v, ips: [{ address: "10.0.0.1/8", interface: 0 }] },
      "ips[0].interface names an interface, and the result has none",
    ],
    [
      { ...v, interfaces: [{ name: "a" }], ips: [{ address: "10.0.0.1/8", interface: 1 }] },
      "ips[0].interface must be a whole number from 0 to 0",
    ],
    [{ ...v, interfaces: [{ name: "../../x" }] }, "interfaces[0].name must be an interface's name"],
    [{ ...v, routes: [{ dst: "0/0" }] }, 'routes[0].dst is "0/0", must be an address, "/" and a length'],
    [{ ...v, dns: { search: ["a b"] } }, "dns.search[0] must be one word"],
    [{ ...v, dns: { nameservers: ["1.1.1.1 x"] } }, 'dns.nameservers[0] is "1.1.1.1 x", must be an address'],
    [
      { ...v, ips: Array.from({ length: 1025 }, () => ({ address: "10.0.0.1/8" })) },
      "ips has 1025 items, at most 1024 are allowed",
    ],
  ])("says of %j what is wrong", (value, state) => {
    expect(refusal(value)).toBe(`Cannot read the answer: ${state}`);
  });

  it("gives a result, or an error, for any JSON object", () => {
    const value = fc.dictionary(fc.constantFrom("cniVersion", "interfaces", "ips", "routes", "dns"), fc.jsonValue());
    const near = fc.record({
      cniVersion: fc.constantFrom(...cniVersions),
      interfaces: fc.array(fc.dictionary(fc.constantFrom("name", "mac", "mtu", "sandbox"), fc.jsonValue())),
      ips: fc.array(fc.dictionary(fc.constantFrom("address", "gateway", "interface"), fc.jsonValue())),
      routes: fc.array(fc.dictionary(fc.constantFrom("dst", "gw", "mtu"), fc.jsonValue())),
      dns: fc.dictionary(fc.constantFrom("nameservers", "search", "domain"), fc.jsonValue()),
    });
    fc.assert(
      fc.property(fc.oneof(value, near), (object) => {
        expect(refusal(object)).toMatch(/^(it was read$|Cannot read the answer: )/);
      }),
      { numRuns: 400 },
    );
  });
});

describe("addressesOf()", () => {
  it("gives those inside, of the named interface first, and none of the host's", () => {
    const result: CniResult = {
      ...rich,
      interfaces: [{ name: "cni0" }, { name: "eth0", sandbox: "/n" }, { name: "net1", sandbox: "/n" }],
      ips: [
        { address: "10.0.0.1/8", interface: 0 },
        { address: "10.2.0.1/16", interface: 2 },
        { address: "10.1.0.1/16", interface: 1 },
        { address: "fd00::1/64" },
      ],
    };
    expect(addressesOf(result, "eth0")).toEqual(["10.1.0.1/16", "fd00::1/64", "10.2.0.1/16"]);
  });
});
