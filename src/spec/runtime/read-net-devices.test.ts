import { describe, expect, it } from "vitest";
import { parseRuntimeConfig } from "./parse.ts";

const parse = (netDevices: object) =>
  parseRuntimeConfig({ ociVersion: "1.3.0", linux: { netDevices } }).linux.netDevices;

describe("readNetDevices()", () => {
  it("reads names on the host and in the container", () => {
    expect([
      ...(parse({ eth1: {}, eth2: { name: "net0" }, eth3: { name: "" }, eth4: { name: "net%d" } }) ?? []),
    ]).toEqual([
      ["eth1", { name: undefined }],
      ["eth2", { name: "net0" }],
      ["eth3", { name: undefined }],
      ["eth4", { name: "net%d" }],
    ]);
  });

  it("refuses what is no name of a device, and one name for two", () => {
    const rule = "must be a network device's name: 1 to 15 characters without /, : and white space";
    for (const name of ["..", "a/b", "a b", "x:1", "sixteen-letters-", "a%s", "%d%d", "eth%"])
      expect(() => parse({ eth1: { name } })).toThrow(`Cannot read config: linux.netDevices["eth1"].name ${rule}`);
    expect(() => parse({ "eth%d": {} })).toThrow(`Cannot read config: name of an entry of linux.netDevices ${rule}`);
    expect(() => parse({ eth1: { name: "eth2" }, eth2: {} })).toThrow("must not name eth2 a second time");
    expect(() => parse({ eth1: { name: "x%d" }, eth2: { name: "x%d" } })).not.toThrow();
  });
});
