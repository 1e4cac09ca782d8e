import { describe, expect, it } from "vitest";
import { parseRuntimeConfig } from "./parse.ts";

const parse = (intelRdt: object) => parseRuntimeConfig({ ociVersion: "1.3.0", linux: { intelRdt } }).linux.intelRdt;

describe("readIntelRdt()", () => {
  it("reads a class, its schemata, and monitoring", () => {
    const config = {
      closID: "guaranteed",
      l3CacheSchema: "L3:0=7f0;1=1f",
      memBwSchema: "MB:0=20;1=70",
      schemata: ["L2:0=f"],
      enableMonitoring: true,
    };
    expect(parse(config)).toEqual(config);
    expect(parse({ closID: "/", enableCMT: true })).toEqual({ closID: "/", schemata: [], enableMonitoring: false });
  });

  const refusals: readonly (readonly [config: object, message: string])[] = [
    [{ closID: "" }, "closID must not be empty"],
    [{ closID: ".." }, "closID must be the name of a directory, or / for the default class"],
    [{ closID: "a/b" }, "closID must be the name of a directory"],
    [{ closID: "mon_groups" }, "closID must be the name of a directory"],
    [{ l3CacheSchema: "L3:0=f\nMB:0=10" }, "l3CacheSchema must be one line"],
    [{ memBwSchema: "L3:0=f" }, "memBwSchema must start with MB:"],
    [{ schemata: ["L3:0=f", ""] }, "schemata[1] must not be empty"],
    [{ enableMonitoring: "yes" }, "enableMonitoring must be true or false"],
  ];
  for (const [config, message] of refusals)
    it(`refuses with "${message}"`, () => {
      expect(() => parse(config)).toThrow(`Cannot read config: linux.intelRdt.${message}`);
    });
});
