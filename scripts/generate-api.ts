/**
 * Writes the TypeScript of `proto/` to `src/api/native/gen` (`npm run generate:api`): needs `protoc`, Debian's
 * protobuf-compiler, and fetches the plugin, which no user of the package needs.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const plugin = "@bufbuild/protoc-gen-es@2.17.0";
const output = "src/api/native/gen";
const options = "target=ts,import_extension=ts,erasable_syntax=true";

rmSync(`${root}${output}/sampan`, { recursive: true, force: true });
const files = readdirSync(`${root}proto/sampan/v1`).map((name) => `proto/sampan/v1/${name}`);
const protoc = ["protoc", "-I", "proto", `--es_out=${output}`, `--es_opt=${options}`, ...files];
const { status } = spawnSync("npx", ["--yes", "-p", plugin, "-c", protoc.join(" ")], { cwd: root, stdio: "inherit" });
process.exitCode = status ?? 1;
