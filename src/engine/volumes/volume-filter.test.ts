import { describe, expect, it } from "vitest";
import { volumeFilter } from "./volume-filter.ts";

const volume = {
  name: "site-data",
  driver: "local",
  mountpoint: "/v",
  createdAt: 0,
  labels: { tier: "front", x: "" },
  options: {},
  anonymous: false,
  users: ["web"],
} as const;

describe("volumeFilter()", () => {
  it.each([
    ["name", ["data"], true],
    ["name", ["other", "site"], true],
    ["driver", ["nfs"], false],
    ["dangling", ["true"], false],
    ["dangling", ["0"], true],
    ["label", ["tier"], true],
    ["label", ["tier=front", "x="], true],
    ["label", ["tier=front", "y"], false],
    ["label!", ["y"], true],
    ["label!", ["tier=front"], false],
  ])("%s=%j: %s", (key, values, expected) => {
    expect(volumeFilter({ [key]: values })(volume)).toBe(expected);
  });

  it.each([
    ["colour", "red", "there is no such filter"],
    ["dangling", "maybe", "it is true or false"],
  ])("refuses %s=%s", (key, value, problem) => {
    expect(() => volumeFilter({ [key]: [value] })).toThrow(problem);
  });
});
