/** What an operation does, in the words of an error message after `Cannot`. */
import type { Operation } from "#plan";

type Words = { readonly [K in Operation["op"]]: (operation: Extract<Operation, { readonly op: K }>) => string };

const words: Words = {
  clone: (o) => (o.cgroup === "" ? "create the container's process" : `create the process in "${o.cgroup}"`),
  "join-namespace": (o) => `join the namespace "${o.path}"`,
  "join-container": () => "join the container's namespaces",
  "wait-start": () => "wait for start",
  exec: (o) => `run "${o.arguments[0] ?? ""}"`,
  "find-executable": (o) => `run "${o.command}"`,
  "parent-death-signal": () => "set the parent death signal",
  session: () => "start a session",
  terminal: () => "open a terminal",
  "start-socket": (o) => `listen for the start in "${o.directory}"`,
  hook: (o) => `run the hook "${o.path}"`,
  "seccomp-listener": (o) => `connect to the seccomp agent "${o.path}"`,
  "stdio-owner": (o) => `give the standard streams to user ${o.uid}`,
  "cgroup-create": (o) => `create the cgroup "${o.path}"`,
  "join-cgroup": (o) => `join the cgroup "${o.paths[0] ?? ""}"`,
  "write-file": (o) => `write "${o.data}" to "${o.path}"`,
  "cgroup-device-filter": (o) => `attach the device filter to "${o.path}"`,
  "cgroup-kill": (o) => `kill the processes of the cgroup "${o.path}"`,
  "cgroup-remove": (o) => `remove the cgroup "${o.path}"`,
  freeze: (o) => `${o.frozen ? "freeze" : "thaw"} the cgroup "${o.path}"`,
  "write-first": (o) => `write "${o.choices[0]?.data ?? ""}" to "${o.directory}/${o.choices[0]?.name ?? ""}"`,
  "cgroup-owner": (o) => `give the cgroup "${o.path}" to user ${o.uid}`,
  propagation: () => "set the mount propagation",
  "root-overlay": (o) => `mount the overlay on "${o.target}"`,
  "root-bind": (o) => `bind the root "${o.path}"`,
  "root-directory": (o) => `use the root "${o.path}"`,
  mount: (o) => `mount ${o.type} on "${o.target}"`,
  bind: (o) => `bind "${o.source}" on "${o.target}"`,
  "mount-attributes": (o) => `change the mount "${o.path}"`,
  directory: (o) => `make the directory "${o.path}"`,
  "host-directory": (o) => `make the directory "${o.path}"`,
  symlink: (o) => `link "${o.path}" to "${o.target}"`,
  device: (o) => `make the device "${o.path}"`,
  mask: (o) => `mask "${o.path}"`,
  "read-only-path": (o) => `make "${o.path}" read-only`,
  "copy-tree": (o) => `copy "${o.source}" to "${o.destination}"`,
  "read-file": (o) => `read "${o.path}"`,
  "pivot-root": () => "change to the container's root",
  "open-source": (o) => `take the mount of "${o.source}"`,
  "attach-source": (o) => `bind on "${o.target}"`,
  "pin-namespaces": (o) => `make namespaces in "${o.directory}"`,
  "memory-file": (o) => `put a file in memory on "${o.path}"`,
  "mount-over": (o) => `mount ${o.type} on "${o.target}"`,
  "mount-propagation": (o) => `set the propagation of the mount "${o.path}"`,
  reconfigure: (o) => `change the filesystem on "${o.path}"`,
  "move-root": () => "move to the container's root",
  "unmount-path": (o) => `unmount "${o.path}"`,
  "id-map": () => "write the id maps",
  "time-offset": (o) => `offset the ${o.clock} clock`,
  "time-namespace": () => "create a time namespace",
  "enter-time-namespace": () => "enter the time namespace",
  hostname: (o) => `set the host name "${o.name}"`,
  domainname: (o) => `set the domain name "${o.name}"`,
  sysctl: (o) => `set "${o.key}" to "${o.value}"`,
  "loopback-up": () => "bring up the loopback interface",
  rlimit: (o) => `set resource limit ${o.resource} to ${o.soft}:${o.hard}`,
  keyring: (o) => `join a new keyring "${o.name}"`,
  user: (o) => `become user ${o.uid}:${o.gid}`,
  "bounding-set": () => "drop capabilities from the bounding set",
  capabilities: () => "set the capabilities",
  "no-new-privileges": () => "forbid new privileges",
  seccomp: () => "install the system call filter",
  "working-directory": (o) => `change to the directory "${o.path}"`,
  scheduler: () => "set the scheduling policy",
  "io-priority": () => "set the I/O priority",
  "cpu-affinity": (o) => `run on processor ${o.processors.join(",")}`,
  personality: (o) => `set the personality ${o.domain}`,
  "memory-policy": () => "set the memory policy",
  "security-attribute": (o) => `set the security attribute "${o.value}"`,
  "remove-directory": (o) => `remove the directory "${o.path}"`,
  "directory-xattr": (o) => `label "${o.path}" as "${o.value}"`,
  "move-network-device": (o) => `move the network device "${o.name}"`,
  landlock: () => "restrict the process with Landlock",
  "remove-tree": (o) => `remove "${o.path}"`,
  unmount: (o) => `unmount "${o.path}"`,
  "root-alone": () => "take the root's mount alone",
  "mount-layers": (o) => `mount an image on "${o.target}"`,
  netlink: (o) => o.purpose,
  helper: (o) => `run "${o.path}"`,
  "peer-credentials": () => "ask who is at the other end of a connection",
  "notify-service": (o) => `tell the service manager at "${o.path}"`,
  "forward-port": (o) => `publish port ${o.port} on "${o.address}"`,
  "forward-namespace": (o) => `forward ports of "${o.network}"`,
};

/** E.g. `mount proc on "/proc"`. */
export function operationWords(operation: Operation): string {
  return (words[operation.op] as (operation: Operation) => string)(operation);
}

/** The path that an operation is mainly about, empty for one without. */
export function operationPath(operation: Operation): string {
  if ("target" in operation) return operation.op === "symlink" ? operation.path : operation.target;
  if ("command" in operation) return operation.command;
  if ("path" in operation) return operation.path;
  if (operation.op === "join-cgroup") return operation.paths[0] ?? "";
  if ("arguments" in operation) return operation.arguments[0] ?? "";
  if ("source" in operation) return operation.source;
  if ("cgroup" in operation) return operation.cgroup;
  if (operation.op === "move-network-device") return operation.name;
  return operation.op === "sysctl" ? operation.key : "";
}
