import { describe, expect, it } from "vitest";
import { WrittenSizes } from "./written-sizes.ts";

describe("WrittenSizes", () => {
  it("reads once for all who ask at the same time and later, and again for one that was forgotten", async () => {
    let reads = 0;
    const sizes = new WrittenSizes(async () => ({ bytes: (reads += 1), inodes: 1 }));
    expect(await Promise.all([sizes.of("a"), sizes.of("a")])).toStrictEqual([
      { bytes: 1, inodes: 1 },
      { bytes: 1, inodes: 1 },
    ]);
    expect((await sizes.of("a")).bytes).toBe(1);
    sizes.keep(new Set());
    expect((await sizes.of("a")).bytes).toBe(2);
  });

  it("reads no more than four trees at once, and goes on after one that can't be read", async () => {
    let [active, most] = [0, 0];
    const sizes = new WrittenSizes(async (id) => {
      active += 1;
      most = Math.max(most, active);
      await new Promise((resolve) => setImmediate(resolve));
      active -= 1;
      if (id === "bad") throw new Error("unreadable");
      return { bytes: 1, inodes: 1 };
    });
    const ids = ["bad", ...Array.from({ length: 10 }, (_, n) => `id${n}`)];
    const settled = await Promise.allSettled(ids.map(async (id) => await sizes.of(id)));
    expect(settled.map(({ status }) => status)).toStrictEqual(["rejected", ...Array<string>(10).fill("fulfilled")]);
    expect(most).toBe(4);
  });
});
