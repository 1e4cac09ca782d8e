import { describe, expect, it } from "vitest";
import { decodeEvent, encodeEvent, exitOf, monitorRecord } from "./event.ts";
import { eventFilter } from "./filter.ts";

const id = "a".repeat(64);

describe("decodeEvent()", () => {
  it("reads back what encodeEvent() wrote", () => {
    const event = { type: "container", action: "create", id, attributes: { name: 'w"b', x: "\n" }, time: 17n } as const;
    expect(decodeEvent(encodeEvent(event))).toStrictEqual(event);
  });

  it("reads what a monitor put between the two parts of its record", () => {
    const record = (action: "start" | "die" | "oom", told: string): string => {
      const [before, after] = monitorRecord(action, id, { name: "web" });
      expect(after.endsWith("\n")).toBe(true);
      return before + told + after.slice(0, -1);
    };
    expect(decodeEvent(record("start", "5 000000007"))).toStrictEqual({
      type: "container",
      action: "start",
      id,
      attributes: { name: "web" },
      time: 5_000_000_007n,
    });
    const die = decodeEvent(record("die", "137 9 1 1700000000 000000005"));
    expect(die).toStrictEqual({
      type: "container",
      action: "die",
      id,
      attributes: { name: "web", exitCode: "137", signal: "9", oomKilled: "true" },
      time: 1_700_000_000_000_000_005n,
    });
    expect(die && exitOf(die)).toStrictEqual({ status: 137, signal: 9, oomKilled: true, at: 1_700_000_000_000 });
    expect(decodeEvent(record("oom", "2 5 000000001"))).toMatchObject({
      attributes: { kills: "2" },
      time: 5_000_000_001n,
    });
    expect(decodeEvent(record("die", "137 9 x"))).toBeUndefined();
  });

  it("takes half a record for none", () => {
    for (const text of ["", "{", '{"type":"container"', '{"type":"container"}', "[]", "null"])
      expect(decodeEvent(text), text).toBeUndefined();
  });
});

describe("eventFilter()", () => {
  const event = {
    type: "container",
    action: "exec_create: sh",
    id,
    attributes: { name: "web", image: "node", tier: "front" },
    time: 0n,
  } as const;
  it.each([
    [{}, true],
    [{ event: ["exec_create"] }, true],
    [{ event: ["die", "exec_create: sh"] }, true],
    [{ event: ["exec"] }, false],
    [{ container: ["web"] }, true],
    [{ container: ["aaaa"] }, true],
    [{ container: ["aaa"] }, false],
    [{ image: ["node"] }, true],
    [{ volume: ["web"] }, false],
    [{ type: ["container"], label: ["tier=front"] }, true],
    [{ type: ["container"], label: ["tier=back"] }, false],
    [{ type: ["volume"], label: ["tier"] }, false],
  ] as const)("%j: %s", (filters, expected) => {
    expect(eventFilter(filters)(event)).toBe(expected);
  });

  it("names a filter that there is none of", () => {
    expect(() => eventFilter({ colour: ["red"] })).toThrow('Cannot filter events by "colour": there is no such filter');
  });
});
