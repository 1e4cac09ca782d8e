/**
 * Writes the TypeScript of `proto/` to `src/api` (`npm run generate:api`): needs `protoc`, Debian's
 * protobuf-compiler, and fetches the plugin, which no user of the package needs.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const plugin = "@bufbuild/protoc-gen-es@2.17.0";
const options = "target=ts,import_extension=ts,erasable_syntax=true";
/** Where the code of each package goes. */
const outputs = { "sampan/v1": "src/api/native/gen", "runtime/v1": "src/api/cri/gen" };

for (const [name, output] of Object.entries(outputs)) {
  rmSync(`${root}${output}/${name}`, { recursive: true, force: true });
  mkdirSync(`${root}${output}`, { recursive: true });
  const files = readdirSync(`${root}proto/${name}`).map((file) => `proto/${name}/${file}`);
  const protoc = ["protoc", "-I", "proto", `--es_out=${output}`, `--es_opt=${options}`, ...files];
  const { status } = spawnSync("npx", ["--yes", "-p", plugin, "-c", protoc.join(" ")], { cwd: root, stdio: "inherit" });
  process.exitCode ||= status ?? 1;
}
