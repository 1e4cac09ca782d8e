/** Programs in C that the benchmarks use. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { checkout } from "../support/checkout.ts";
import { mustHere } from "../support/process.ts";

/**
 * Compiles `<name>.c` of this directory to `build/bench/<name>`.
 *
 * @returns its path
 */
export async function compileTool(name: string): Promise<string> {
  const directory = join(checkout, "build", "bench");
  await mkdir(directory, { recursive: true });
  const path = join(directory, name);
  const flags = ["-std=gnu17", "-O2", "-static", "-Wall", "-Wextra", "-Werror", "-Wshadow"];
  await mustHere(["gcc", ...flags, "-o", path, join(checkout, "test", "performance", `${name}.c`)]);
  return path;
}
