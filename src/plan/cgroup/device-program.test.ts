import type { DeviceRule } from "#spec";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileDeviceProgram } from "./device-program.ts";
import { defaultDeviceRules, deviceRuleText, effectiveRules } from "./device-rules.ts";

interface Access {
  readonly type: "b" | "c";
  readonly access: string;
  readonly major: number;
  readonly minor: number;
}

/** Runs a program as the kernel would, on struct bpf_cgroup_dev_ctx. Knows the instructions that are used, no others. */
function run(program: Uint8Array, { type, access, major, minor }: Access): bigint {
  const bits = access.split("").reduce((sum, letter) => sum | ({ m: 1, r: 2, w: 4 }[letter] ?? 0), 0);
  const context = [(bits << 16) | (type === "b" ? 1 : 2), major, minor];
  const view = new DataView(program.buffer);
  const registers = Array.from({ length: 11 }, () => 0n);
  const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
  for (let at = 0; at < program.length / 8; at++) {
    const code = view.getUint8(at * 8);
    const destination = view.getUint8(at * 8 + 1) & 15;
    const offset = view.getInt16(at * 8 + 2, true);
    const immediate = u64(BigInt(view.getInt32(at * 8 + 4, true)));
    const value = registers[destination] ?? 0n;
    if (code === 0x61) registers[destination] = BigInt(context[offset / 4] ?? -1);
    else if (code === 0x57) registers[destination] = value & immediate;
    else if (code === 0x77) registers[destination] = value >> immediate;
    else if (code === 0xb7) registers[destination] = immediate;
    else if (code === 0x05) at += offset;
    else if (code === 0x55) at += value === immediate ? 0 : offset;
    else if (code === 0x45) at += (value & immediate) === 0n ? 0 : offset;
    else if (code === 0x95) return registers[0] ?? -1n;
    else throw new Error(`instruction 0x${code.toString(16)}`);
  }
  throw new Error("the program has no end");
}

/** Each single access is decided by the last rule that matches the device and names it. */
function allowed(rules: readonly DeviceRule[], otherwise: boolean, { type, access, major, minor }: Access): boolean {
  return access
    .split("")
    .every(
      (letter) =>
        rules.findLast(
          (rule) =>
            (rule.type === "a" || rule.type === type) &&
            (rule.major ?? major) === major &&
            (rule.minor ?? minor) === minor &&
            rule.access.includes(letter),
        )?.allow ?? otherwise,
    );
}

const accesses = fc.constantFrom("r", "w", "m", "rw", "rm", "wm", "rwm");
const number = fc.constantFrom(0, 1, 3, 5, 136, 0xfff);
const rule: fc.Arbitrary<DeviceRule> = fc.record({
  allow: fc.boolean(),
  type: fc.constantFrom("a", "b", "c"),
  major: fc.option(number, { nil: undefined }),
  minor: fc.option(number, { nil: undefined }),
  access: accesses,
});

describe("compileDeviceProgram()", () => {
  it("decides each access by the last rule that names it", () => {
    fc.assert(
      fc.property(
        fc.array(rule, { maxLength: 10 }),
        fc.boolean(),
        fc.array(fc.record({ type: fc.constantFrom("b", "c"), access: accesses, major: number, minor: number }), {
          minLength: 1,
        }),
        (rules, otherwise, tries) => {
          const program = compileDeviceProgram(rules, otherwise);
          for (const one of tries) expect(run(program, one)).toBe(allowed(rules, otherwise, one) ? 1n : 0n);
        },
      ),
    );
  });

  it("denies devices that no rule names, with rules that only allow (GHSA-g54h-m393-cpwq)", () => {
    const { rules, allowAll } = effectiveRules([{ allow: true, type: "c", major: 10, minor: 200, access: "rwm" }]);
    const program = compileDeviceProgram(rules, allowAll);
    const tries: readonly (readonly [Access, bigint])[] = [
      [{ type: "c", access: "rw", major: 1, minor: 3 }, 1n],
      [{ type: "c", access: "rw", major: 10, minor: 200 }, 1n],
      [{ type: "c", access: "r", major: 1, minor: 1 }, 0n],
      [{ type: "b", access: "r", major: 8, minor: 0 }, 0n],
      [{ type: "b", access: "m", major: 8, minor: 0 }, 1n],
      [{ type: "c", access: "rw", major: 136, minor: 7 }, 1n],
    ];
    expect(tries.map(([one]) => run(program, one))).toEqual(tries.map(([, result]) => result));
  });

  it("refuses more rules than an older kernel's 4096 instructions hold", () => {
    const many = Array.from({ length: 601 }, (): DeviceRule => ({ allow: true, type: "c", access: "r" }));
    expect(() => compileDeviceProgram(many, false)).toThrow("Cannot compile device rules: there are 601");
  });
});

describe("effectiveRules()", () => {
  it("forgets what stands before a rule for all devices", () => {
    expect(
      effectiveRules([
        { allow: true, type: "c", major: 10, minor: 1, access: "r" },
        { allow: false, type: "a", access: "rwm" },
        { allow: true, type: "b", major: 8, access: "r" },
      ]),
    ).toEqual({
      allowAll: false,
      rules: [{ allow: true, type: "b", major: 8, access: "r" }, ...defaultDeviceRules],
    });
  });

  it("has nothing to say when all devices are allowed", () => {
    expect(effectiveRules([{ allow: true, type: "a", access: "rwm" }])).toEqual({ allowAll: true, rules: [] });
  });
});

describe("deviceRuleText()", () => {
  it("writes rules as cgroup v1 reads them", () => {
    expect(defaultDeviceRules.map(deviceRuleText)).toEqual([
      "c *:* m",
      "b *:* m",
      "c 1:3 rwm",
      "c 1:5 rwm",
      "c 1:7 rwm",
      "c 1:8 rwm",
      "c 1:9 rwm",
      "c 5:0 rwm",
      "c 136:* rwm",
      "c 5:2 rwm",
    ]);
  });
});
