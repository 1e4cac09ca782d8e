/**
 * The one gate, `npm run check`: format, lint, types and layers, dead code, generated files, unit tests. `--static` leaves
 * the tests out (`npm test` counts them itself).
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const steps: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ["generated files", "node", "native/keel/wire/generate.ts", "--check"],
  ["format", "oxfmt", "--check", "."],
  ["types and layers", "tsc", "-b"],
  ["lint", "oxlint", "--type-aware", "--deny-warnings"],
  ["dead code", "knip"],
  ["keel", "make", "-s", "-C", "native/keel"],
  ["unit tests", "vitest", "run", "--project", "unit"],
];

const isStatic = process.argv.includes("--static");
for (const [name, command, ...args] of steps) {
  if (isStatic && command === "vitest") continue;
  const started = performance.now();
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) {
    process.stderr.write(`check: ${name} failed\n`);
    process.exit(1);
  }
  process.stdout.write(`check: ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)\n`);
}
