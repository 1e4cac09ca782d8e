/**
 * Bundles the program (`dist/sampan.js`, its commands as chunks of their own), the library (`dist/index.js`) with its client
 * (`dist/client.js`), the daemon (`dist/daemon/main.js`) and the OCI runtime (`dist/sampan-oci.cjs`).
 */
import { rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
rmSync(`${root}dist`, { recursive: true, force: true });

/** The program loads the daemon from its own bundle: its libraries are CommonJS, whose `require` no command should pay for. */
const daemonElsewhere: Plugin = {
  name: "daemon",
  setup(bundler) {
    bundler.onResolve({ filter: /^#daemon$/ }, () => ({ path: "../daemon/main.js", external: true }));
  },
};

await build({
  absWorkingDir: root,
  entryPoints: { sampan: "src/cli/main.ts", index: "src/engine/index.ts", client: "src/api/native/client/index.ts" },
  plugins: [daemonElsewhere],
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

await build({
  absWorkingDir: root,
  entryPoints: { main: "src/daemon/index.ts" },
  outdir: "dist/daemon",
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node26",
  banner: { js: 'import{createRequire as requireOf}from"node:module";const require=requireOf(import.meta.url);' },
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
