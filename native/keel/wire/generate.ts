/**
 * Writes the wire's generated files from `declaration.ts`; with `--check` it only says which are out of date.
 *
 *   node native/keel/wire/generate.ts [--check]
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { cDecoder, cHeader } from "./generate-c.ts";
import { tsCodec, tsTypes } from "./generate-ts.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const outputs: Record<string, string> = {
  "src/plan/operation.gen.ts": tsTypes(),
  "src/keel/wire.gen.ts": tsCodec(),
  "native/keel/wire.gen.h": cHeader(),
  "native/keel/wire.gen.c": cDecoder(),
};

const check = process.argv.includes("--check");
let stale = 0;
for (const [path, text] of Object.entries(outputs)) {
  const want = path.endsWith(".ts") ? format(path, text) : text;
  let have = "";
  try {
    have = readFileSync(root + path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  if (have === want) continue;
  stale += 1;
  if (check) process.stderr.write(`${path} is out of date: run npm run generate\n`);
  else writeFileSync(root + path, want);
}
if (check && stale > 0) process.exit(1);

function format(path: string, text: string): string {
  return execFileSync(`${root}node_modules/.bin/oxfmt`, ["--stdin-filepath", path], {
    input: text,
    cwd: root,
    encoding: "utf8",
  });
}
