import { defineConfig } from "vitest/config";

/**
 * `unit` needs no privilege and no package; it is part of `npm run check`. `system` needs root, keel and the packages that
 * `scripts/test-setup.ts` installs; its files run one after another.
 */
export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", testTimeout: 60_000, include: ["src/**/*.test.ts", "test/unit/**/*.test.ts"] } },
      {
        test: {
          name: "system",
          include: ["test/{integration,interop,security}/**/*.test.ts"],
          fileParallelism: false,
          // Some races in tests show on a busy machine only; a failure that comes again is one.
          retry: process.env["CI"] === undefined ? 0 : 1,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
