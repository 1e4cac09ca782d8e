import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSampanError } from "#errdefs";
import { formatPrefix, numberToIp } from "../address/prefix.ts";
import { boxesOf, subtract, type Box, type Range } from "./boxes.ts";
import { egressText, isPublic, mayAskFor, parseEgress, rulesForName, type EgressPolicy } from "./policy.ts";

const policy = (...texts: string[]): EgressPolicy => parseEgress(texts) ?? { rules: [] };

describe("parseEgress()", () => {
  it("reads names, addresses and ports", () => {
    expect(parseEgress([])).toBeUndefined();
    expect(parseEgress(["all"])).toBeUndefined();
    expect(parseEgress(["none"])).toEqual({ rules: [] });
    expect(parseEgress(["allow=Example.COM.,*.example.org:443,db:53/udp,*", "allow=443,8000-8010/tcp"])).toEqual({
      rules: [
        { name: "example.com" },
        { name: "*.example.org", ports: { first: 443, last: 443 } },
        { name: "db", ports: { first: 53, last: 53 }, protocol: "udp" },
        { name: "*" },
        { ports: { first: 443, last: 443 } },
        { ports: { first: 8000, last: 8010 }, protocol: "tcp" },
      ],
    });
    expect(
      parseEgress([
        "allow=192.0.2.1,192.0.2.0/24:443,192.0.2.0/24:1-9/udp,192.0.2.7/tcp,2001:DB8::/32,[2001:db8::1]:53/udp,[::/0]:80,::1/tcp",
      ])?.rules,
    ).toEqual([
      { prefix: "192.0.2.1/32" },
      { prefix: "192.0.2.0/24", ports: { first: 443, last: 443 } },
      { prefix: "192.0.2.0/24", ports: { first: 1, last: 9 }, protocol: "udp" },
      { prefix: "192.0.2.7/32", protocol: "tcp" },
      { prefix: "2001:db8::/32" },
      { prefix: "2001:db8::1/128", ports: { first: 53, last: 53 }, protocol: "udp" },
      { prefix: "::/0", ports: { first: 80, last: 80 } },
      { prefix: "::1/128", protocol: "tcp" },
    ]);
  });

  it("refuses the rest, and says what it is", () => {
    const cases = [
      ["deny=x"],
      ["allow="],
      ["allow=a,,b"],
      ["none", "allow=a"],
      ["allow=0"],
      ["allow=65536"],
      ["allow=9-1"],
      ["allow=80/icmp"],
      ["allow=a:80-90"],
      ["allow=a/tcp"],
      ["allow=a.*.b"],
      ["allow=*a.b"],
      ["allow=-a"],
      ["allow=a b"],
      ["allow=a:"],
      ["allow=http://a"],
      ["allow=300.1.1.1"],
      ["allow=10.0.0.1/8"],
      ["allow=10.0.0.0/33"],
      ["allow=[10.0.0.0"],
      ["allow=[::1]80"],
      ["allow=1:2:3"],
      [`allow=${"a".repeat(64)}`],
      [`allow=${Array.from({ length: 300 }, (_, n) => n + 1).join(",")}`],
    ];
    for (const texts of cases)
      expect(() => parseEgress(texts), texts.join(" ")).toThrow(
        expect.toSatisfy((error: unknown) => isSampanError(error, "invalid-argument")) as Error,
      );
  });

  it("reads what egressText() writes", () => {
    const texts = [
      "none",
      "allow=*.example.org:443,a:53/udp,443,1-9/tcp,192.0.2.0/24:443/tcp,[2001:db8::/32]:53,2001:db8::1/128,::/0/tcp",
    ];
    for (const text of texts) expect(egressText(policy(text))).toBe(text);
  });
});

describe("rulesForName() and mayAskFor()", () => {
  it("know a name from one below it, and names that may be asked from those whose addresses are opened", () => {
    const some = policy("allow=example.com,*.example.org:443,192.0.2.0/24");
    const names = ["example.com", "a.example.com", "example.org", "a.example.org", "a.b.example.org", "xexample.org"];
    expect(names.map((name) => rulesForName(some, name).length)).toEqual([1, 0, 0, 1, 1, 0]);
    expect(names.map((name) => mayAskFor(some, name))).toEqual([true, false, false, true, true, false]);
    // An address list needs no names; a port of all the world does.
    expect(mayAskFor(policy("allow=192.0.2.0/24"), "example.com")).toBe(false);
    expect(mayAskFor(policy("allow=443"), "example.com")).toBe(true);
    expect(rulesForName(policy("allow=443"), "example.com")).toEqual([]);
    expect(mayAskFor(policy("none"), "example.com")).toBe(false);
    expect(rulesForName(policy("allow=*"), "example.com")).toHaveLength(1);
  });
});

describe("isPublic()", () => {
  it("is false of what a public name has no business with", () => {
    const not =
      "10.1.2.3 127.0.0.1 169.254.169.254 172.31.255.255 192.168.0.1 100.64.0.1 0.0.0.0 224.0.0.1 255.255.255.255";
    for (const address of `${not} ::1 fe80::1 fd00:ec2::254 ::ffff:10.0.0.1 ::ffff:8.8.8.8 64:ff9b::a00:1 ff02::1`.split(
      " ",
    ))
      expect([address, isPublic(address)]).toEqual([address, false]);
    for (const address of "8.8.8.8 172.32.0.0 192.0.2.1 2001:db8::1 2606:4700::1111".split(" "))
      expect([address, isPublic(address)]).toEqual([address, true]);
  });
});

const range = (max: number): fc.Arbitrary<Range> =>
  fc.tuple(fc.nat(max), fc.nat(max)).map(([a, b]) => [BigInt(Math.min(a, b)), BigInt(Math.max(a, b))]);
const box: fc.Arbitrary<Box> = fc.tuple(range(7), range(3), range(3));
const has = ([a, b, c]: Box, [x, y, z]: readonly [bigint, bigint, bigint]): boolean =>
  a[0] <= x && x <= a[1] && b[0] <= y && y <= b[1] && c[0] <= z && z <= c[1];

describe("subtract()", () => {
  it("leaves each point of the one that is not in the other, once", () => {
    fc.assert(
      fc.property(box, box, (from, what) => {
        const rest = subtract(from, what);
        for (let x = 0n; x < 8n; x += 1n)
          for (let y = 0n; y < 4n; y += 1n)
            for (let z = 0n; z < 4n; z += 1n) {
              const point = [x, y, z] as const;
              const count = rest.filter((part) => has(part, point)).length;
              expect(count).toBe(has(from, point) && !has(what, point) ? 1 : 0);
            }
      }),
    );
  });
});

describe("boxesOf()", () => {
  const shown = (of: EgressPolicy, family: 4 | 6): string[] =>
    boxesOf(of, family).map(
      ([[first, last], protocol, ports]) =>
        `${numberToIp(family, first)}-${numberToIp(family, last)} ${protocol.join("-")} ${ports.join("-")}`,
    );

  it("cuts what overlaps, and leaves out what has to be named", () => {
    expect(shown(policy("allow=10.0.0.0/8:443/tcp,10.1.0.0/16,example.com,10.2.0.0/16:1-65535/tcp"), 4)).toEqual([
      "10.0.0.0-10.255.255.255 6-6 443-443",
      "10.1.0.0-10.1.255.255 0-5 0-65535",
      "10.1.0.0-10.1.255.255 7-255 0-65535",
      "10.1.0.0-10.1.255.255 6-6 0-442",
      "10.1.0.0-10.1.255.255 6-6 444-65535",
      "10.2.0.0-10.2.255.255 6-6 1-442",
      "10.2.0.0-10.2.255.255 6-6 444-65535",
    ]);
    expect(shown(policy("allow=0.0.0.0/0,169.254.169.254"), 4)).toEqual([
      "0.0.0.0-169.253.255.255 0-255 0-65535",
      "169.255.0.0-255.255.255.255 0-255 0-65535",
      "169.254.169.254-169.254.169.254 0-255 0-65535",
    ]);
    expect(shown(policy("allow=443/tcp"), 4)).toContain("11.0.0.0-100.63.255.255 6-6 443-443");
    expect(shown(policy("allow=443/tcp"), 6)).toEqual(["2000::-3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 6-6 443-443"]);
    expect(formatPrefix({ family: 4, base: 0n, length: 0 })).toBe("0.0.0.0/0");
  });
});
