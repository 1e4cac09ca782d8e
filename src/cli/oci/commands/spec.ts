import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { alreadyExists } from "#errdefs";
import { exampleConfig } from "../example-config.ts";
import { ociCommand } from "../command.ts";

export const spec = ociCommand(
  {
    name: "spec",
    summary: "Write an example config.json for a new bundle",
    usage: "",
    positionals: [0, 0],
    options: {
      bundle: { type: "string", short: "b", value: "DIR", help: "the bundle (default: this directory)" },
      rootless: { type: "boolean", help: "for a user without privilege" },
    },
    examples: ["mkdir -p web/rootfs && sampan-oci spec --bundle web"],
  },
  async (values) => {
    const file = join(values.bundle ?? ".", "config.json");
    if (existsSync(file)) throw alreadyExists(`Cannot write "${file}": it exists`, { remedy: "Remove it first" });
    const ids = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    const config = exampleConfig(values.rootless === true ? ids : undefined);
    writeFileSync(file, `${JSON.stringify(config, undefined, "\t")}\n`, { mode: 0o644, flag: "wx" });
    await Promise.resolve();
    return 0;
  },
);
