import { describe, expect, it } from "vitest";
import { binaryBytes, table } from "./table.ts";

describe("table()", () => {
  it("lays columns out as containerd's client does, the last with blanks too", () => {
    expect(
      table(
        [
          ["NAME", "LABELS"],
          ["default", ""],
          ["foo", "a=b"],
        ],
        { padding: 1 },
      ),
    ).toBe("NAME    LABELS \ndefault        \nfoo     a=b    \n");
  });

  it("leaves the last cell of open rows as it is", () => {
    expect(
      table(
        [
          ["TASK", "PID", "STATUS"],
          ["bb", "122", "RUNNING"],
        ],
        { padding: 4, least: 4, open: true },
      ),
    ).toBe("TASK    PID    STATUS    \nbb      122    RUNNING\n");
  });
});

describe("binaryBytes()", () => {
  it.each([
    [422, "422.0 B"],
    [1_258_291, "1.2 MiB"],
    [50_855_936, "48.5 MiB"],
  ])("%d: %s", (bytes, text) => expect(binaryBytes(bytes)).toBe(text));
});
