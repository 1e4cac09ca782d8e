/** Operations in words. */
import type { Operation } from "../operation.gen.ts";
import { capabilitiesOf } from "../tables/capabilities.ts";
import { namespacesOf } from "../tables/namespaces.ts";
import { rlimitName, unlimited } from "../tables/rlimits.ts";
import { nameOf, personalities } from "../tables/scheduling.ts";
import { signalName } from "../tables/signals.ts";
import { landlockWords } from "./landlock-words.ts";
import { ioPriorityWords, memoryPolicyWords, schedulerWords } from "./scheduling-words.ts";
import {
  attributeWords,
  deviceWords,
  idMapWords,
  list,
  parameterWords,
  propagationWords,
  rangeWords,
} from "./words.ts";

type Words = { readonly [K in Operation["op"]]: (operation: Extract<Operation, { op: K }>) => string };

const words: Words = {
  clone(o) {
    const kinds = namespacesOf(o.namespaces);
    const where = o.cgroup === "" ? "" : `, born in cgroup ${o.cgroup}`;
    return kinds.length === 0
      ? `create a process${where}`
      : `create the container's process with its own ${list(kinds)} namespace${kinds.length > 1 ? "s" : ""}${where}`;
  },
  "join-namespace": (o) => `join the ${list(namespacesOf(o.kind))} namespace ${o.path}`,
  "join-container": (o) => `join the container's ${list(namespacesOf(o.namespaces))} namespaces`,
  "wait-start": () => "wait for start",
  exec: (o) => `run ${o.arguments.map(quoteArgument).join(" ")}${o.init ? " below a small init process" : ""}`,
  "find-executable": (o) => `find the program ${quoteArgument(o.command)}`,
  "parent-death-signal": (o) => `ask for ${signalName(o.signal)} when the monitor dies`,
  session: () => "start a new session",
  terminal(o) {
    const size = o.columns === 0 && o.rows === 0 ? "" : ` of ${o.columns}×${o.rows} characters`;
    return `open a terminal${size}${o.console ? ", also as /dev/console" : ""}`;
  },
  "start-socket": (o) => `wait for the start at ${o.directory}/start.sock`,
  hook: (o) => `run hook ${o.path} ${o.parent ? "on the host" : "in the container"}`,
  "seccomp-listener": (o) => `connect to the agent ${o.path} that decides about system calls`,
  "stdio-owner": (o) => `give the output pipes to user ${o.uid}:${o.gid}`,
  "cgroup-create": (o) => `create cgroup ${o.path}${o.controllers.length === 0 ? "" : ` with ${list(o.controllers)}`}`,
  "join-cgroup"(o) {
    const join =
      o.paths.length === 0 ? "" : `join ${o.paths.length === 1 ? `cgroup ${o.paths[0]}` : `${o.paths.length} cgroups`}`;
    if (!o.unshare) return join === "" ? "join no cgroup" : join;
    return `${join === "" ? "" : `${join} and `}enter a new cgroup namespace`;
  },
  "write-file": (o) => `write "${o.data}" to ${o.path}`,
  "cgroup-device-filter": (o) => `attach a device filter of ${o.program.length / 8} instructions to cgroup ${o.path}`,
  "cgroup-kill": (o) => `kill all processes of cgroup ${o.path}`,
  "cgroup-remove": (o) => `remove cgroup ${o.path}`,
  freeze: (o) => `${o.frozen ? "stop all processes" : "let the processes go on"} of cgroup ${o.path}`,
  "write-first": (o) =>
    `write ${o.choices.map(({ name, data }) => `"${data}" to ${name}`).join(", or ")}, whichever is in ${o.directory}`,
  "cgroup-owner": (o) => `give cgroup ${o.path} with ${list(o.files)} to user ${o.uid}`,
  propagation: (o) => `make ${o.recursive ? "all mounts" : "the root mount"} ${propagationWords(o.mode)}`,
  "root-overlay"(o) {
    const layers = `${o.lower.length} read-only layer${o.lower.length === 1 ? "" : "s"}`;
    return `mount an overlay of ${layers}${o.upper === "" ? "" : " and a writable one"} as the root`;
  },
  "root-bind": (o) => `use directory ${o.path} as the root`,
  "root-directory": (o) => (o.path === "/" ? "use the present root" : `work in directory ${o.path}`),
  mount: (o) => `mount ${o.type} on ${o.target}${attributeWords(o.attributes, parameterWords(o.parameters))}`,
  bind(o) {
    const words = propagationWords(o.propagation);
    const extra = words === "" ? [] : [words];
    const below = o.recursive ? " with what is mounted below it" : "";
    return `bind ${o.source} of the host to ${o.target}${below}${attributeWords(o.set | o.setRecursive, extra)}`;
  },
  "mount-attributes": (o) => `change the mount on ${o.path}${attributeWords(o.set, [])}`,
  directory: (o) => `make directory ${o.path} where it is missing`,
  symlink: (o) => `make symbolic link ${o.path} to ${o.target}`,
  device: (o) => `make ${deviceWords(o.mode, o.major, o.minor)} ${o.path}`,
  mask: (o) => `hide ${o.path}`,
  "read-only-path": (o) => `make ${o.path} read-only`,
  "copy-tree": (o) => `copy ${o.source} of the image to ${o.destination} when that is empty`,
  "read-file": (o) => `read ${o.path} of the image`,
  "pivot-root": () => "make this root the only one",
  "open-source"(o) {
    const below = o.recursive ? " with what is mounted below it" : "";
    const maps =
      o.userNamespace === ""
        ? `user ids ${idMapWords(o.uids)} and group ids ${idMapWords(o.gids)}`
        : `ids as in the user namespace ${o.userNamespace}`;
    const extra = o.uids.length === 0 && o.userNamespace === "" ? [] : [maps];
    if (o.propagation !== 0n) extra.push(propagationWords(o.propagation));
    return `take the mount of ${o.source} of the host${below}${attributeWords(o.set | o.setRecursive, extra)}`;
  },
  "attach-source": (o) => `bind what was taken (${o.slot}) to ${o.target}`,
  "pin-namespaces"(o) {
    const maps = o.uids.length === 0 ? "" : `, user ids ${idMapWords(o.uids)}, group ids ${idMapWords(o.gids)}`;
    const settings = o.sysctls.map(({ key, value }) => `, ${key.replaceAll("/", ".")} = ${value}`).join("");
    return `make ${list(namespacesOf(o.namespaces))} namespaces, held by files in ${o.directory}${maps}${settings}`;
  },
  "memory-file": (o) =>
    `mount a file of ${o.data.length} bytes in memory on ${o.path}, read-only, mode ${o.mode.toString(8)}, owner ${o.uid}:${o.gid}`,
  "mount-over"(o) {
    const extra = [...parameterWords(o.parameters), ...(o.copy ? ["with a copy of what it covers"] : [])];
    return `mount ${o.type} on ${o.target}${attributeWords(o.attributes, extra)}`;
  },
  "mount-propagation": (o) => `make ${o.path}${o.recursive ? " and mounts below it" : ""} ${propagationWords(o.mode)}`,
  reconfigure: (o) => `set ${list(parameterWords(o.parameters))} for the filesystem on ${o.path}`,
  "move-root": () => "move this root over the host's, and stay in it",
  "unmount-path": (o) => `unmount ${o.path} in the container`,
  "id-map": (o) => `map user ids ${idMapWords(o.uids)} and group ids ${idMapWords(o.gids)}`,
  "time-offset": (o) => `set the ${o.clock} clock ${o.seconds}.${String(o.nanoseconds).padStart(9, "0")} s off`,
  "time-namespace": () => "create a time namespace",
  "enter-time-namespace": () => "enter the time namespace",
  hostname: (o) => `set the host name to ${o.name}`,
  domainname: (o) => `set the domain name to ${o.name}`,
  sysctl: (o) => `set kernel parameter ${o.key} to "${o.value}"`,
  "loopback-up": () => "bring up the loopback interface",
  rlimit(o) {
    return `limit ${rlimitName(o.resource)} to ${amount(o.soft)}, at most ${amount(o.hard)}`;
  },
  keyring: (o) => `join a new session keyring named ${o.name}`,
  user(o) {
    const groups = o.groups.length === 0 ? "" : ` and groups ${o.groups.join(", ")}`;
    return `become user ${o.uid}, group ${o.gid}${groups}`;
  },
  "bounding-set": (o) => `give up for ever all capabilities but ${capabilityWords(o.keep)}`,
  capabilities: (o) =>
    `keep capabilities ${capabilityWords(o.effective)}${o.ambient === 0n ? "" : `; ambient ${capabilityWords(o.ambient)}`}`,
  "no-new-privileges": () => "forbid gaining privileges",
  seccomp: (o) => `install a system call filter of ${o.program.length / 8} instructions`,
  "working-directory": (o) => `change directory to ${o.path}`,
  scheduler: schedulerWords,
  "io-priority": ioPriorityWords,
  "cpu-affinity": (o) =>
    o.processors.length === 0 ? "run on all processors" : `run on processors ${rangeWords(o.processors)}`,
  personality: (o) => `take the personality ${nameOf(personalities, o.domain)}`,
  "memory-policy": memoryPolicyWords,
  "security-attribute": (o) =>
    o.value === ""
      ? `clear the security attribute ${o.attribute}`
      : `set the security attribute ${o.attribute} to "${o.value}"`,
  "remove-directory": (o) => `remove directory ${o.path}`,
  "directory-xattr": (o) => `label ${o.path} as ${o.value}`,
  "move-network-device": (o) =>
    `move network device ${o.name} of the host into the container${o.newName === o.name ? "" : `, as ${o.newName}`}`,
  landlock: landlockWords,
  "remove-tree": (o) => `remove directory ${o.path} with all in it`,
  unmount: (o) => `unmount ${o.path}`,
  "root-alone": (o) => `take the root without what is mounted on it${o.readOnly ? ", read-only" : ""}`,
  "mount-layers"(o) {
    const part = o.subpath === "" ? "" : `${o.subpath} of `;
    const layers = `${o.lower.length} read-only layer${o.lower.length === 1 ? "" : "s"}`;
    return `mount ${part}${layers} on ${o.target}${attributeWords(o.attributes, [])}`;
  },
  netlink: (o) => o.purpose,
  helper: (o) => `run ${o.path} on the host and hear what it says`,
  "peer-credentials": () => "ask who is at the other end of a connection",
  "notify-service": (o) => `tell the service manager at ${o.path}: ${o.text.replaceAll("\n", ", ")}`,
  "forward-port": (o) =>
    `pass ${o.protocol === 6 ? "connections to" : "datagrams for"} port ${o.port} of ${o.address} on to port ${o.targetPort} of ${o.target}`,
  "forward-namespace": (o) =>
    `connect who comes to ${o.directory}/${o.name} to ports of the loopback interface${o.network === "" ? "" : ` in ${o.network}`}`,
  "host-directory": (o) => `make directory ${o.path} of the host where it is missing`,
};

/**
 * What an operation does, in words that continue "Cannot …", e.g. `mount proc on /proc (ignore setuid bits, no device
 * files, no programs run from it)`.
 */
export function describeOperation(operation: Operation): string {
  // Each function takes the operation that it is listed under, which the type of a look-up does not show.
  const describe = words[operation.op] as (operation: Operation) => string;
  return describe(operation);
}

const amount = (value: bigint): string => (value === unlimited ? "unlimited" : String(value));

function capabilityWords(mask: bigint): string {
  const names = capabilitiesOf(mask).map((name) => name.slice("CAP_".length).toLowerCase());
  return names.length === 0 ? "none" : names.join(" ");
}

/** An argument as a shell would need it written. */
const quoteArgument = (text: string): string =>
  /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
