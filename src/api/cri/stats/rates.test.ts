import { describe, expect, it } from "vitest";
import { Rates } from "./rates.ts";

const second = 1_000_000_000n;

describe("Rates.of()", () => {
  it("is the average since the start at first, then that between two times, and holds where they are close", () => {
    const rates = new Rates();
    // Two seconds after its start it has used one.
    expect(rates.of("a", 1000, second, 10n * second, 3000)).toBe(second / 2n);
    expect(rates.of("a", 1000, second * 3n, 12n * second, 5000)).toBe(second);
    expect(rates.of("a", 1000, second * 4n, 12n * second + 1n, 5000)).toBe(second);
    // Measured from the time before the close one.
    expect(rates.of("a", 1000, second * 4n, 14n * second, 7000)).toBe(second / 2n);
  });

  it("begins anew with another run, and forgets what is gone", () => {
    const rates = new Rates();
    rates.of("a", 1000, 50n * second, 10n * second, 60_000);
    expect(rates.of("a", 61_000, second, 12n * second, 62_000)).toBe(second);
    rates.keep(new Set());
    expect(rates.of("a", 61_000, second, 14n * second, 65_000)).toBe(second / 4n);
  });
});
