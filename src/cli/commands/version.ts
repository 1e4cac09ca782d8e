import { readFileSync } from "node:fs";
import { command } from "../command.ts";

export const version = command(
  {
    name: "version",
    summary: "Print the version of Sampan and of its Node",
    usage: "",
    positionals: [0, 0],
    options: {},
    examples: ["sampan version"],
  },
  async () => {
    const { packageFile } = await import("../package.ts");
    const { version: number } = JSON.parse(readFileSync(packageFile(), "utf8")) as { version: string };
    process.stdout.write(`sampan ${number} (node ${process.version.slice(1)})\n`);
    return 0;
  },
);
