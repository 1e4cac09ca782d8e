/** The options that `run` and `explain` share. */
import { careFlags } from "./care-flags.ts";
import type { OptionDefinitions, OptionValues } from "./command.ts";
import { fixedLimitFlags, limitFlags } from "./limit-flags.ts";

export const runFlags = {
  ...limitFlags,
  ...fixedLimitFlags,
  ...careFlags,
  "add-host": { type: "list", value: "NAME:ADDRESS", help: "line of /etc/hosts; the address host-gateway is the host" },
  label: { type: "list", short: "l", value: "NAME=VALUE", help: "label on the container" },
  "cap-add": { type: "list", value: "CAPABILITY", help: "add a Linux capability, or ALL" },
  "cap-drop": { type: "list", value: "CAPABILITY", help: "drop a Linux capability, or ALL" },
  device: { type: "list", value: "HOST[:PATH[:rwm]]", help: "give it a device of the host" },
  dns: { type: "list", value: "ADDRESS", help: "name server in place of the host's" },
  "dns-option": { type: "list", value: "OPTION", help: "option of resolv.conf" },
  "dns-search": { type: "list", value: "DOMAIN", help: "domain to search names in, . for none" },
  domainname: { type: "string", value: "NAME", help: "NIS domain name" },
  entrypoint: { type: "string", value: "COMMAND", help: "in place of the image's ENTRYPOINT" },
  env: {
    type: "list",
    short: "e",
    value: "NAME[=VALUE]",
    help: "environment variable; without a value, that of this shell",
  },
  "env-file": { type: "list", value: "FILE", help: "environment variables, one a line" },
  expose: { type: "list", value: "PORT[/PROTOCOL]", help: "port that it listens on, in addition to the image's" },
  "group-add": { type: "list", value: "GROUP", help: "supplementary group of the user" },
  hostname: { type: "string", value: "NAME", help: "host name inside" },
  init: { type: "boolean", help: "run a small init as pid 1 that forwards signals and reaps" },
  ip: { type: "string", value: "ADDRESS", help: "IPv4 address on its first network" },
  ip6: { type: "string", value: "ADDRESS", help: "IPv6 address on its first network" },
  interactive: { type: "boolean", short: "i", help: "keep stdin open" },
  "mac-address": { type: "string", value: "MAC", help: "link layer address on its first network" },
  mount: { type: "list", value: "type=TYPE,…", help: "mount a bind, volume, tmpfs or image: src=, dst=, readonly" },
  name: { type: "string", value: "NAME", help: "name of the container" },
  network: {
    type: "list",
    value: "NETWORK",
    help: "network's name (bridge by default), none, host, container:NAME; or name=…,ip=…,ip6=…,mac-address=…,alias=…",
  },
  "network-alias": { type: "list", value: "NAME", help: "further name on its first network" },
  platform: { type: "string", value: "OS/ARCH", help: "platform of the image, e.g. linux/arm64" },
  privileged: { type: "boolean", help: "all capabilities and devices, no filter: as root on the host" },
  publish: {
    type: "list",
    short: "p",
    value: "[[ADDRESS:]PORT:]PORT[/PROTOCOL]",
    help: "port of the host that leads to one of it",
  },
  "publish-all": { type: "boolean", short: "P", help: "publish all exposed ports on free ports of the host" },
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
