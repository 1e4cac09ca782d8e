/**
 * `npm test`: everything, from a fresh checkout. Installs what the tests need, builds, makes the test images, runs the
 * static checks and the tests of both projects, and ends with the line `N passed, N failed`.
 *
 * Without root it installs nothing, says what is missing, and runs the unit tests only.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildPackages, systemPackages } from "./debian-packages.ts";
import { describe, install, missingPackages } from "./test-setup.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const results = join(root, "build", "test-results");
const bin = join(root, "node_modules", ".bin");
const env = { ...process.env, PATH: `${bin}:${process.env["PATH"] ?? ""}` };
const isRoot = process.getuid?.() === 0;

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}
const counts: Counts = { passed: 0, failed: 0, skipped: 0 };

/** Runs one part with its output shown; a failure counts as one failed test. */
function step(name: string, command: string, ...args: string[]): boolean {
  const started = performance.now();
  process.stdout.write(`test: ${name}\n`);
  const { status, error } = spawnSync(command, args, { cwd: root, env, stdio: "inherit" });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`test: ${name} ${status === 0 ? "done" : `FAILED ${error?.message ?? ""}`} (${seconds} s)\n`);
  if (status !== 0) counts.failed++;
  return status === 0;
}

/** Installs packages where it may. */
function prepare(): void {
  const missing = missingPackages([...buildPackages, ...systemPackages]);
  if (missing.length === 0) return;
  if (!isRoot) {
    process.stdout.write(
      `test: these Debian packages are missing (as root, npm test installs them):\n${describe(missing)}`,
    );
    return;
  }
  process.stdout.write(`test: installing Debian packages:\n${describe(missing)}`);
  if (!install(missing)) {
    process.stdout.write("test: installing Debian packages FAILED\n");
    counts.failed++;
  }
}

/** As much of vitest's JSON report as is counted. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/** Runs a vitest project and counts its tests; a file that does not load, or a crash, counts as one failed test. */
function project(name: string): void {
  const file = join(results, `${name}.json`);
  const before = counts.failed;
  process.stdout.write(`test: ${name} tests\n`);
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  const { status } = spawnSync("vitest", ["run", "--project", name, ...reporters], {
    cwd: root,
    env,
    stdio: "inherit",
  });
  try {
    const report = JSON.parse(readFileSync(file, "utf8")) as Report;
    counts.passed += report.numPassedTests;
    counts.failed += report.numFailedTests;
    counts.skipped += report.numPendingTests + report.numTodoTests;
    for (const { status, assertionResults } of report.testResults)
      if (status === "failed" && !assertionResults.some((result) => result.status === "failed")) counts.failed++;
  } catch {
    process.stdout.write(`test: the ${name} tests gave no report\n`);
  }
  if (status !== 0 && counts.failed === before) counts.failed++;
}

rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });
prepare();
const built =
  step("build", "sh", "scripts/setup.sh") &&
  step("build with sanitizers", "make", "-s", "-C", "native/keel", "sanitize");
step("static checks", "node", "scripts/check.ts", "--static");
project("unit");
if (isRoot && built) {
  step("test images and virtual machine", "node", "test/support/build-images.ts");
  project("system");
} else {
  process.stdout.write(`test: the system tests did not run: they need ${isRoot ? "a build" : "root"}\n`);
}

const { passed, failed, skipped } = counts;
process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
