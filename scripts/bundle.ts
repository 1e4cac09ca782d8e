/**
 * Bundles the program (`dist/sampan.cjs`, its commands as chunks of their own), the library (`dist/index.js`) with its client
 * (`dist/client.js`), the OCI runtime (`dist/sampan-oci.cjs`), and the process that answers names (`dist/sampan-dns.cjs`).
 *
 * The programs are CommonJS, which Node starts much faster than modules; the library, for users' own code, is a module.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform, type BuildOptions } from "esbuild";
import { late } from "./bundle-late.ts";
import { pack, type Part } from "./bundle-packs.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");

const common = {
  plugins: [late],
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  target: "node26",
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  sourcemap: false,
  logLevel: "warning",
} as const satisfies BuildOptions;

/** A CommonJS file has no `import.meta.url`. */
const ownUrl = {
  define: { "import.meta.url": "ownUrl" },
  banner: 'const ownUrl=require("node:url").pathToFileURL(__filename).href;',
};

/** What the start of a container loads. */
const starting = ["src/cli/commands/run.ts", "src/cli/container-options.ts", "src/engine/index.ts"];

/** Only modules can be split, so the program is split as modules, and each part then becomes CommonJS. */
async function bundleProgram(): Promise<void> {
  const { outputFiles, metafile } = await build({
    ...common,
    entryPoints: { main: "src/cli/program.ts" },
    outdir: join(dist, "cli"),
    outExtension: { ".js": ".cjs" },
    chunkNames: "[name]-[hash]",
    format: "esm",
    splitting: true,
    write: false,
    metafile: true,
  });
  const parts = await Promise.all(
    outputFiles.map(async ({ path, text }): Promise<Part> => {
      const { code } = await transform(text, {
        format: "cjs",
        platform: "node",
        target: "node26",
        supported: { "dynamic-import": false },
        ...(text.includes("import.meta.url") && ownUrl),
        minifySyntax: true,
        minifyWhitespace: true,
        legalComments: "none",
      });
      return { name: `./${basename(path)}`, code };
    }),
  );
  const packs = [
    { name: "program.cjs", entries: ["src/cli/program.ts"] },
    { name: "containers.cjs", entries: starting },
    { name: "daemon.cjs", entries: ["src/daemon/index.ts"] },
  ];
  mkdirSync(join(dist, "cli"), { recursive: true });
  for (const [name, code] of pack(metafile, parts, "./main.cjs", packs)) writeFileSync(join(dist, "cli", name), code);
}

/** What Node compiles is kept beside the bundle; where that can't be written, nothing is kept. */
function writeEntry(name: string, program: string): void {
  writeFileSync(
    join(dist, name),
    `require("node:module").enableCompileCache(require("node:path").join(__dirname, "../build/compile-cache"));
require("${program}").main(process.argv.slice(2));
`,
  );
}

rmSync(dist, { recursive: true, force: true });
await build({
  ...common,
  entryPoints: { index: "src/engine/index.ts", client: "src/api/native/client/index.ts" },
  outdir: "dist",
  chunkNames: "chunks/[name]-[hash]",
  splitting: true,
  format: "esm",
});
// Engines start the OCI runtime for every step of a container, so it is one file; and what the process that answers names
// does not need should not be in memory for as long as containers run.
for (const name of ["oci", "dns"])
  await build({
    ...common,
    entryPoints: { program: `src/cli/${name}/program.ts` },
    outdir: `dist/${name}`,
    outExtension: { ".js": ".cjs" },
    format: "cjs",
    define: ownUrl.define,
    banner: { js: ownUrl.banner },
  });
// A thread has memory of its own, which should hold no more than it needs.
await build({
  ...common,
  entryPoints: { program: "src/images/unpack-thread.ts" },
  outdir: "dist/unpack",
  outExtension: { ".js": ".cjs" },
  format: "cjs",
  define: ownUrl.define,
  banner: { js: ownUrl.banner },
});
await bundleProgram();
writeEntry("sampan-dns.cjs", "./dns/program.cjs");
writeEntry("sampan-oci.cjs", "./oci/program.cjs");
// The last file, by whose age the set-up tells whether the bundle is fresh.
writeEntry("sampan.cjs", "./cli/program.cjs");
