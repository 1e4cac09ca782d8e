/** The options that `run` and `explain` share. */
import { careFlags } from "./care-flags.ts";
import type { OptionDefinitions, OptionValues } from "./command.ts";
import { fixedLimitFlags, limitFlags } from "./limit-flags.ts";

export const runFlags = {
  ...limitFlags,
  ...fixedLimitFlags,
  ...careFlags,
  label: { type: "list", short: "l", value: "NAME=VALUE", help: "label on the container" },
  "cap-add": { type: "list", value: "CAPABILITY", help: "add a Linux capability, or ALL" },
  "cap-drop": { type: "list", value: "CAPABILITY", help: "drop a Linux capability, or ALL" },
  device: { type: "list", value: "HOST[:PATH[:rwm]]", help: "give it a device of the host" },
  domainname: { type: "string", value: "NAME", help: "NIS domain name" },
  entrypoint: { type: "string", value: "COMMAND", help: "in place of the image's ENTRYPOINT" },
  env: {
    type: "list",
    short: "e",
    value: "NAME[=VALUE]",
    help: "environment variable; without a value, that of this shell",
  },
  "env-file": { type: "list", value: "FILE", help: "environment variables, one a line" },
  "group-add": { type: "list", value: "GROUP", help: "supplementary group of the user" },
  hostname: { type: "string", value: "NAME", help: "host name inside" },
  init: { type: "boolean", help: "run a small init as pid 1 that forwards signals and reaps" },
  interactive: { type: "boolean", short: "i", help: "keep stdin open" },
  mount: { type: "list", value: "type=TYPE,…", help: "mount a bind, volume or tmpfs: src=, dst=, readonly" },
  name: { type: "string", value: "NAME", help: "name of the container" },
  network: { type: "string", value: "MODE", help: "none (default), host, or container:NAME" },
  platform: { type: "string", value: "OS/ARCH", help: "platform of the image, e.g. linux/arm64" },
  privileged: { type: "boolean", help: "all capabilities and devices, no filter: as root on the host" },
  pull: { type: "string", value: "WHEN", help: "fetch the image: missing (default), always, never" },
  "read-only": { type: "boolean", help: "read-only root filesystem" },
  "security-opt": { type: "list", value: "OPTION", help: "seccomp=FILE, seccomp=unconfined or no-new-privileges" },
  "shm-size": { type: "string", value: "BYTES", help: "size of /dev/shm, 64m by default" },
  "stop-signal": { type: "string", value: "SIGNAL", help: "what `stop` sends first" },
  "stop-timeout": { type: "string", value: "SECONDS", help: "how long `stop` waits before SIGKILL" },
  sysctl: { type: "list", value: "NAME=VALUE", help: "namespaced kernel parameter" },
  tmpfs: { type: "list", value: "PATH[:OPTIONS]", help: "empty filesystem in memory" },
  tty: { type: "boolean", short: "t", help: "give it a terminal" },
  ulimit: { type: "list", value: "NAME=SOFT[:HARD]", help: "resource limit, e.g. nofile=1024:4096" },
  user: { type: "string", short: "u", value: "USER[:GROUP]", help: "user and group by name or id" },
  volume: { type: "list", short: "v", value: "SRC:DST[:ro]", help: "bind a host path or a named volume" },
  workdir: { type: "string", short: "w", value: "PATH", help: "working directory inside" },
} as const satisfies OptionDefinitions;

/** The values of {@link runFlags}. */
export type RunValues = OptionValues<typeof runFlags>;
