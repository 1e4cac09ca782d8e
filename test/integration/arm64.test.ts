/** keel for the other processor: compiled with all warnings as errors, and what of it an emulated processor can show. */
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { checkout } from "../support/checkout.ts";
import { mustHere, runHere } from "../support/process.ts";

describe.runIf(process.arch === "x64")("keel for arm64", () => {
  const output = join(checkout, "build/native-arm64");
  const keel = join(output, "keel");
  beforeAll(async () => {
    const make = [
      "make",
      "-s",
      "-C",
      join(checkout, "native/keel"),
      "CC=aarch64-linux-gnu-gcc",
      `OUT=${output}`,
      "all",
    ];
    await mustHere(make, { timeout: 600_000 });
  }, 600_000);

  it("is a static program for that processor, of the same wire", async () => {
    const header = await mustHere(["readelf", "--file-header", "--program-headers", keel]);
    expect(header).toMatch(/Machine:\s+AArch64/);
    expect(header).not.toContain("INTERP");
    const own = await mustHere([join(checkout, "build/native/keel"), "version"]);
    expect(await mustHere(["qemu-aarch64-static", keel, "version"])).toBe(own);
  });

  it("init runs a program and gives its exit code, 128 + n for signal n", async () => {
    const emulated = ["qemu-aarch64-static", keel, "init", "--"];
    expect((await runHere([...emulated, "/bin/sh", "-c", "exit 7"])).code).toBe(7);
    expect((await runHere([...emulated, "/bin/sh", "-c", "kill -9 $$"])).code).toBe(137);
  });
});
