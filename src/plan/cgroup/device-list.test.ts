import type { DeviceRule } from "#spec";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deviceList, deviceSteps } from "./device-list.ts";

const paths = new Map([["devices", "/cg/devices/x"]]);
const all: DeviceRule = { allow: false, type: "a", access: "rwm" };

function writes(before: readonly DeviceRule[] | undefined, after: readonly DeviceRule[]): string[] {
  return deviceSteps(before, after, paths).map(({ operation: o }) => {
    if (o.op !== "write-file") throw new Error(o.op);
    return `${o.path.replace("/cg/devices/x/devices.", "")} ${o.data}`;
  });
}

/** cgroup v1's own list, as the kernel keeps it (security/device_cgroup.c). */
class Kernel {
  allowAll = true;
  readonly exceptions = new Map<string, string>();

  write(text: string): void {
    const [verb, type, number = "", access = ""] = text.split(" ");
    const allow = verb === "allow";
    if (type === "a") {
      this.allowAll = allow;
      this.exceptions.clear();
      return;
    }
    const key = `${type} ${number}`;
    const old = this.exceptions.get(key) ?? "";
    // A rule of the same kind as the default takes an exception back, and only one of the very same device.
    const letters =
      allow === this.allowAll
        ? old.split("").filter((l) => !access.includes(l))
        : [...new Set((old + access).split(""))];
    if (letters.length === 0) this.exceptions.delete(key);
    else this.exceptions.set(key, letters.join(""));
  }

  allows(type: string, major: number, minor: number, access: string): boolean {
    const excepted = [...this.exceptions].some(([key, letters]) => {
      const [t, ma, mi] = key.split(/[ :]/);
      const match = t === type && (ma === "*" || Number(ma) === major) && (mi === "*" || Number(mi) === minor);
      return match && letters.includes(access);
    });
    return excepted ? !this.allowAll : this.allowAll;
  }
}

const allowed = (rules: readonly DeviceRule[], type: string, major: number, minor: number, access: string): boolean =>
  rules.findLast(
    (r) =>
      (r.type === "a" || r.type === type) &&
      (r.major ?? major) === major &&
      (r.minor ?? minor) === minor &&
      r.access.includes(access),
  )?.allow ?? false;

const number = fc.constantFrom(10, 11);
const rule: fc.Arbitrary<DeviceRule> = fc.record({
  allow: fc.boolean(),
  type: fc.constantFrom("a", "b", "c"),
  major: fc.option(number, { nil: undefined }),
  minor: fc.option(number, { nil: undefined }),
  access: fc.constantFrom("r", "w", "rw", "rwm"),
});

function representable(rules: readonly DeviceRule[]): boolean {
  try {
    deviceList(rules);
    return true;
  } catch {
    return false;
  }
}

describe("deviceSteps()", () => {
  it("brings the kernel to what the rules mean, from nothing and from other rules", () => {
    const rules = fc.array(rule, { maxLength: 5 }).filter(representable);
    fc.assert(
      fc.property(rules, rules, (before, after) => {
        const kernel = new Kernel();
        const check = (of: readonly DeviceRule[]): void => {
          for (const type of ["b", "c"])
            for (const major of [10, 11, 12])
              for (const minor of [10, 11, 12])
                for (const access of ["r", "w"])
                  expect(kernel.allows(type, major, minor, access)).toBe(allowed(of, type, major, minor, access));
        };
        for (const text of writes(undefined, before)) kernel.write(text);
        check(before);
        for (const text of writes(before, after)) kernel.write(text);
        check(after);
      }),
    );
  });

  it("writes only what differs between lists of the same kind", () => {
    const tun = (access: string): DeviceRule => ({ allow: true, type: "c", major: 10, minor: 200, access });
    expect(writes([all, tun("rwm")], [all, tun("r"), { allow: true, type: "b", major: 8, access: "r" }])).toEqual([
      "deny c 10:200 wm",
      "allow b 8:* r",
    ]);
    expect(writes([all, tun("r")], [all, tun("r")])).toEqual([]);
  });

  it("never writes a rule that the kernel takes for all devices", () => {
    expect(writes(undefined, [all, { allow: true, type: "a", major: 1, minor: 3, access: "r" }]).slice(0, 3)).toEqual([
      "deny a",
      "allow b 1:3 r",
      "allow c 1:3 rwm",
    ]);
  });

  it("refuses what would take part out of a wider rule", () => {
    const wide: DeviceRule = { allow: true, type: "c", major: 10, access: "rw" };
    const deny: DeviceRule = { allow: false, type: "c", major: 10, minor: 200, access: "w" };
    expect(() => writes(undefined, [all, wide, deny])).toThrow(
      'Cannot deny device "c 10:200 w": cgroup v1 cannot take it out of "c 10:* rw"',
    );
  });
});
