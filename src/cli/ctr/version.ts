import { readFileSync } from "node:fs";
import { ctrCommand } from "./command.ts";

export const version = ctrCommand(
  { name: "version", summary: "print the version", usage: "", options: {}, examples: ["sampan ctr version"] },
  async () => {
    const { packageFile } = await import("../package.ts");
    const { version: number } = JSON.parse(readFileSync(packageFile(), "utf8")) as { version: string };
    const { node } = process.versions;
    process.stdout.write(`Client:\n  Version:  ${number}\n  Node version: ${node}\n\nServer:\n  Version:  ${number}\n`);
    return 0;
  },
);
