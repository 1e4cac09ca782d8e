import { readFileSync } from "node:fs";
import { command } from "../command.ts";

export const daemon = command(
  {
    name: "daemon",
    summary: "Serve containers and images to other processes, at a socket",
    usage: "",
    positionals: [0, 0],
    options: {
      config: { type: "string", short: "c", value: "FILE", help: "in place of /etc/sampan/config.toml" },
      group: { type: "string", value: "GROUP", help: "who may use the socket beside its owner" },
      "log-format": { type: "string", value: "json|text", help: "json by default" },
      "log-level": { type: "string", value: "LEVEL", help: "trace, debug, info, warn, error or silent" },
      metrics: { type: "string", value: "HOST:PORT", help: "serve metrics and health there too" },
      set: { type: "list", value: "KEY=VALUE", help: "any setting of the file, e.g. limits.connections=100" },
      socket: { type: "string", value: "PATH", help: "unix socket, sampan.sock in the state directory by default" },
    },
    examples: ["sampan daemon", "sampan daemon --group docker --log-level debug --log-format text"],
  },
  async (values, _, globals) => {
    const { packageFile } = await import("../package.ts");
    const { version } = JSON.parse(readFileSync(packageFile(), "utf8")) as { version: string };
    const { runDaemon } = await import("#daemon");
    const flags = {
      root: globals.root,
      state: globals.state,
      "socket.group": values.group,
      "socket.path": values.socket,
      "log.format": values["log-format"],
      "log.level": values["log-level"],
      "metrics.address": values.metrics,
    };
    const overrides = Object.entries(flags).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`]));
    return runDaemon({ configPath: values.config, overrides: [...overrides, ...values.set], version });
  },
);
