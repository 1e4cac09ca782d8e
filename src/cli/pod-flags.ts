/** Options of a pod. */
import type { OptionDefinitions } from "./command.ts";
import { limitFlags } from "./limit-flags.ts";

const { restart: _, ...limits } = limitFlags;

export const podFlags = {
  ...limits,
  "add-host": { type: "list", value: "NAME:ADDRESS", help: "a line of its /etc/hosts" },
  "cgroup-parent": { type: "string", value: "PATH", help: "cgroup that its own is made in, e.g. /jobs" },
  "cni-arg": { type: "list", value: "NAME=VALUE", help: "argument for plugins of a CNI network" },
  dns: { type: "list", value: "ADDRESS", help: "name server" },
  hostname: { type: "string", value: "NAME", help: "host name inside, the pod's name by default" },
  label: { type: "list", short: "l", value: "NAME=VALUE", help: "label on the pod" },
  ipc: { type: "string", value: "host", help: "its containers are in the host's ipc namespace" },
  network: { type: "list", value: "NETWORK", help: "network that it is on, none, host, or cni[:NAME]" },
  pid: { type: "string", value: "host", help: "its containers see the host's processes" },
  publish: { type: "list", short: "p", value: "[ADDRESS:]PORT:PORT", help: "publish a port on the host" },
  share: { type: "string", value: "LIST", help: "what its containers share, of net,ipc,uts (by default) and pid" },
  "shm-size": { type: "string", value: "BYTES", help: "size of the memory that they share, 64m by default" },
  sysctl: { type: "list", value: "NAME=VALUE", help: "kernel parameter of what they share" },
} as const satisfies OptionDefinitions;
