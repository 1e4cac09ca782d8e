/** Options of a container that is looked after, and of its log. */
import type { OptionDefinitions } from "./command.ts";

export const careFlags = {
  "depends-on": {
    type: "list",
    value: "NAME[:CONDITION]",
    help: "start this container before it: started, healthy or completed",
  },
  "health-cmd": { type: "string", value: "COMMAND", help: "command that checks its health, run by /bin/sh" },
  "health-interval": { type: "string", value: "TIME", help: "time between checks, 30s by default" },
  "health-on-failure": {
    type: "string",
    value: "ACTION",
    help: "when it becomes unhealthy: none (default), kill, restart or stop",
  },
  "health-retries": {
    type: "string",
    value: "NUMBER",
    help: "failures one after another that make it unhealthy, 3 by default",
  },
  "health-start-interval": {
    type: "string",
    value: "TIME",
    help: "time between checks in the start period, 5s by default",
  },
  "health-start-period": { type: "string", value: "TIME", help: "time to start up in, in which failures do not count" },
  "health-timeout": { type: "string", value: "TIME", help: "time that a check may take, 30s by default" },
  "log-driver": { type: "string", value: "DRIVER", help: "cri (default), or none for no log" },
  "log-opt": {
    type: "list",
    value: "NAME=VALUE",
    help: "max-size=BYTES, max-file=NUMBER; labels=NAMES and env=NAMES for logs --details",
  },
  "no-healthcheck": { type: "boolean", help: "do not check its health, whatever the image says" },
} as const satisfies OptionDefinitions;
