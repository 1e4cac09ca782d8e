import { constants } from "node:os";
import { describe, expect, it } from "vitest";
import { errnoName, errnoNumber, errnoText } from "./errno.ts";

describe("errnoName()", () => {
  it("agrees with the system for every error that it has", () => {
    for (const [name, number] of Object.entries(constants.errno)) {
      // Linux has two names for these numbers, of which the table has the first.
      if (name === "EWOULDBLOCK" || name === "EOPNOTSUPP" || name === "ENOTSUP") continue;
      expect(errnoName(number)).toBe(name);
      expect(errnoNumber(name)).toBe(number);
    }
  });

  it("writes a number without a name as it is", () => {
    expect([errnoName(0), errnoName(4000)]).toEqual(["errno 0", "errno 4000"]);
  });
});

describe("errnoText()", () => {
  it("gives a text to stand after a colon", () => {
    expect([errnoText(2), errnoText(13), errnoText(90), errnoText(8), errnoText(122), errnoText(4000)]).toEqual([
      "no such file or directory",
      "permission denied",
      "message too long",
      "exec format error",
      "disk quota exceeded",
      "errno 4000",
    ]);
  });
});
