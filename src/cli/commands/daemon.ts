import { readFileSync } from "node:fs";
import { command } from "../command.ts";

export const daemon = command(
  {
    name: "daemon",
    summary: "Serve containers and images to other processes, at a socket",
    usage: "",
    positionals: [0, 0],
    options: {},
    examples: ["sampan daemon"],
  },
  async (_, __, globals) => {
    const { packageFile } = await import("../package.ts");
    const { version } = JSON.parse(readFileSync(packageFile(), "utf8")) as { version: string };
    const { runDaemon } = await import("#daemon");
    return runDaemon({ root: globals.root, state: globals.state, version });
  },
);
