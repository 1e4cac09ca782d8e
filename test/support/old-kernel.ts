import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { keelPath } from "#keel";
import { checkout } from "./checkout.ts";

/** Makes a program that runs keel without openat2(2). Needs a C compiler, as keel itself does. */
export function withoutOpenat2(): string {
  const directory = join(checkout, "build", "test");
  const program = join(directory, "keel-without-openat2");
  mkdirSync(directory, { recursive: true });
  const source = join(checkout, "test", "support", "no-openat2.c");
  execFileSync("gcc", ["-Wall", "-Werror", "-O1", `-DKEEL="${keelPath()}"`, "-o", program, source]);
  return program;
}
