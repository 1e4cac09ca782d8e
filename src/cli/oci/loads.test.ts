import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, it } from "vitest";

it("sampan-oci loads the runtime layers and nothing above them", async () => {
  const root = fileURLToPath(new URL("../../..", import.meta.url));
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ["src/cli/oci/program.ts"],
    bundle: true,
    splitting: true,
    outdir: "build/unwritten",
    write: false,
    metafile: true,
    format: "esm",
    platform: "node",
  });
  const files = Object.keys(metafile.inputs);
  const layers = new Set(files.map((file) => file.split("/").slice(0, 2).join("/")));
  expect([...layers].toSorted()).toEqual(
    ["cli", "errdefs", "host", "keel", "plan", "runtime", "spec"].map((layer) => `src/${layer}`),
  );
  // Nor what the commands of `sampan` need.
  expect(files.filter((file) => file.startsWith("src/cli/commands/"))).toEqual([]);
});
