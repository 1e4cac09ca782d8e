import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, it } from "vitest";

it("a command of the engine loads nothing of networks, the daemon and its API until it needs them", async () => {
  const { metafile } = await build({
    absWorkingDir: fileURLToPath(new URL("../..", import.meta.url)),
    entryPoints: ["src/cli/program.ts", "src/engine/index.ts"],
    bundle: true,
    splitting: true,
    outdir: "build/unwritten",
    write: false,
    metafile: true,
    format: "esm",
    platform: "node",
  });
  const outputs = new Map(Object.entries(metafile.outputs));
  const entries = [...outputs].filter(([, { entryPoint }]) =>
    ["src/cli/program.ts", "src/cli/commands/run.ts", "src/engine/index.ts"].includes(entryPoint ?? ""),
  );
  const loaded = new Set<string>();
  const load = (name: string): void => {
    if (loaded.has(name)) return;
    loaded.add(name);
    for (const { path, kind } of outputs.get(name)?.imports ?? []) if (kind === "import-statement") load(path);
  };
  for (const [name] of entries) load(name);
  const sources = [...loaded].flatMap((name) => Object.keys(outputs.get(name)?.inputs ?? {}));
  expect(sources).toContain("src/engine/container.ts");
  expect(sources.filter((file) => /^(src\/(network|daemon|api|streaming)|node_modules)\//.test(file))).toEqual([]);
});
