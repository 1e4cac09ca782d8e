import { describe, expect, it } from "vitest";
import { parsePrefix } from "../address/prefix.ts";
import { completeNetwork, type CreateContext, type CreateNetworkOptions } from "./create.ts";

const used = (...prefixes: string[]) =>
  prefixes.map((text) => ({ prefix: parsePrefix(text), by: "the host's routes" }));
const context = (...prefixes: string[]): CreateContext => ({
  used: used(...prefixes),
  mtu: 1400,
  now: 7,
  random: (size) => new Uint8Array(size).fill(1),
});
const refusal = (options: CreateNetworkOptions, ...prefixes: string[]): unknown => {
  try {
    return completeNetwork(options, context(...prefixes));
  } catch (error) {
    return (error as Error).message;
  }
};

describe("completeNetwork()", () => {
  it("chooses what is not said", () => {
    expect(completeNetwork({ name: "bridge" }, context())).toEqual({
      name: "bridge",
      driver: "bridge",
      bridge: "sampan0",
      index: 2 ** 24 + 0x01_01_01,
      subnets: [{ prefix: "10.88.0.0/16", gateway: "10.88.0.1" }],
      mtu: 1400,
      internal: false,
      labels: {},
      createdAt: 7,
    });
    expect(completeNetwork({ name: "web", ipv6: true }, context("10.89.0.0/24", "10.80.0.0/13"))).toMatchObject({
      bridge: expect.stringMatching(/^sampan-[0-9a-f]{8}$/) as unknown,
      subnets: [
        { prefix: "10.89.1.0/24", gateway: "10.89.1.1" },
        { prefix: "fd01:101:101::/64", gateway: "fd01:101:101::1" },
      ],
    });
  });

  it("takes the next free subnet of the pool", () => {
    const next = (name: string, ...prefixes: string[]) =>
      completeNetwork({ name }, context(...prefixes)).subnets[0]?.prefix;
    expect(next("bridge", "10.88.5.0/24")).toBe("10.89.0.0/16");
    expect(next("web", "10.88.0.0/16", "10.89.0.0/24", "10.89.1.128/25")).toBe("10.89.2.0/24");
    expect(refusal({ name: "web" }, "10.0.0.0/8")).toBe(
      'Cannot create network "web": no subnet of 10.88.0.0 to 10.127.255.255 is free',
    );
  });

  it.each([
    [{ name: "-x" }, 'Cannot use network name "-x": it is not a letter or digit'],
    [{ name: "host" }, 'Cannot use network name "host": it stands for something else'],
    [
      { name: "x", subnets: ["10.1.0.0/31"] },
      'Cannot use subnet "10.1.0.0/31": it has no room for a gateway and a container',
    ],
    [
      { name: "x", subnets: ["127.1.0.0/24"] },
      'Cannot use subnet "127.1.0.0/24": 127.0.0.0/8 has a meaning of its own',
    ],
    [
      { name: "x", subnets: ["192.168.0.0/16"] },
      'Cannot use subnet "192.168.0.0/16": it overlaps with 192.168.7.0/24 of the host\'s routes',
    ],
    [
      { name: "x", subnets: ["10.1.0.0/24", "10.2.0.0/24"] },
      'Cannot create network "x": two subnets are of one family',
    ],
    [
      { name: "x", subnets: ["10.1.0.0/24"], gateways: ["10.2.0.1"] },
      'Cannot use gateway "10.2.0.1": it is not in 10.1.0.0/24',
    ],
    [
      { name: "x", subnets: ["10.1.0.0/24"], gateways: ["10.1.0.0"] },
      'Cannot use gateway "10.1.0.0": it stands for the whole subnet',
    ],
    [{ name: "x", gateways: ["fd00::1"] }, 'Cannot use gateway "fd00::1": no subnet is of its family'],
    [{ name: "x", ipv6: true, mtu: 1279 }, "Cannot use MTU 1279: it is not from 1280 to 65535"],
  ] satisfies [CreateNetworkOptions, string][])("refuses %j", (options, message) => {
    expect(refusal(options, "192.168.7.0/24")).toEqual(expect.stringContaining(message));
  });
});
