/**
 * Bundles the program (`dist/sampan.js`, its commands as chunks of their own), the library (`dist/index.js`), the OCI
 * runtime (`dist/sampan-oci.cjs`), and the process that answers names (`dist/sampan-dns.cjs`).
 */
import { rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
rmSync(`${root}dist`, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: { sampan: "src/cli/main.ts", index: "src/engine/index.ts" },
  outdir: "dist",
  chunkNames: "chunks/[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node26",
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  sourcemap: false,
  logLevel: "warning",
});

// Engines start it for every step of a container: in one CommonJS file Node starts it much faster than as modules. What it
// compiles is kept beside the bundle; where that can't be written, nothing is kept.
await build({
  absWorkingDir: root,
  entryPoints: { program: "src/cli/oci/program.ts" },
  outdir: "dist/oci",
  outExtension: { ".js": ".cjs" },
  bundle: true,
  format: "cjs",
  platform: "node",
  target: "node26",
  define: { "import.meta.url": "ownUrl" },
  banner: { js: 'const ownUrl=require("node:url").pathToFileURL(__filename).href;' },
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  sourcemap: false,
  logLevel: "warning",
});
writeFileSync(
  `${root}dist/sampan-oci.cjs`,
  `require("node:module").enableCompileCache(require("node:path").join(__dirname, "../build/compile-cache"));
require("./oci/program.cjs").main(process.argv.slice(2));
`,
);

// It stays as long as containers run: what it does not need should not be in memory.
await build({
  absWorkingDir: root,
  entryPoints: { "sampan-dns": "src/cli/dns/program.ts" },
  outdir: "dist",
  outExtension: { ".js": ".cjs" },
  bundle: true,
  format: "cjs",
  platform: "node",
  target: "node26",
  define: { "import.meta.url": "ownUrl" },
  banner: { js: 'const ownUrl=require("node:url").pathToFileURL(__filename).href;' },
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  sourcemap: false,
  logLevel: "warning",
});
