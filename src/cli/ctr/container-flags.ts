/** Options of a container, of `containers create` and `run`. */
import { readFileSync } from "node:fs";
import type { ContainerOptions, MountOption } from "#engine";
import { invalidArgument } from "#errdefs";
import { CtrFailure } from "./context.ts";

export const containerFlags = {
  "allow-new-privs": { type: "boolean", help: "programs may gain privileges, by setuid bits for example" },
  "cap-add": { type: "list", value: "CAP_NAME", help: "add a capability" },
  "cap-drop": { type: "list", value: "CAP_NAME", help: "drop a capability" },
  cni: { type: "boolean", help: "with a network; without it there is only the loopback interface" },
  "cpu-period": { type: "string", value: "MICROSECONDS", help: "period of the CPU quota" },
  "cpu-quota": { type: "string", value: "MICROSECONDS", help: "CPU time in each period" },
  "cpu-shares": { type: "string", value: "NUMBER", help: "weight beside others" },
  cpus: { type: "string", value: "NUMBER", help: "processors that it may use" },
  cwd: { type: "string", value: "DIR", help: "working directory inside" },
  device: { type: "list", value: "PATH", help: "device of the host" },
  env: { type: "list", value: "NAME[=VALUE]", help: "environment variable" },
  "env-file": { type: "list", value: "FILE", help: "environment variables, one a line" },
  label: { type: "list", value: "KEY=VALUE", help: "label of it" },
  "memory-limit": { type: "string", value: "BYTES", help: "memory that it may use" },
  mount: { type: "list", value: "type=bind,src=DIR,dst=DIR,options=rbind:ro", help: "mount inside" },
  "net-host": { type: "boolean", help: "with the host's network" },
  platform: { type: "string", value: "OS/ARCH", help: "the image's" },
  privileged: { type: "boolean", help: "with all capabilities and devices" },
  "read-only": { type: "boolean", help: "its root can't be written to" },
  seccomp: { type: "boolean", help: "filter system calls; is so anyway" },
  "seccomp-profile": { type: "string", value: "FILE", help: "in place of the default filter" },
  tty: { type: "boolean", short: "t", help: "with a terminal" },
  user: { type: "string", value: "USER[:GROUP]", help: "in place of the image's" },
} as const;

interface ContainerValues {
  readonly "allow-new-privs": boolean | undefined;
  readonly "cap-add": readonly string[];
  readonly "cap-drop": readonly string[];
  readonly cni: boolean | undefined;
  readonly "cpu-period": string | undefined;
  readonly "cpu-quota": string | undefined;
  readonly "cpu-shares": string | undefined;
  readonly cpus: string | undefined;
  readonly cwd: string | undefined;
  readonly device: readonly string[];
  readonly env: readonly string[];
  readonly "env-file": readonly string[];
  readonly label: readonly string[];
  readonly "memory-limit": string | undefined;
  readonly mount: readonly string[];
  readonly "net-host": boolean | undefined;
  readonly platform: string | undefined;
  readonly privileged: boolean | undefined;
  readonly "read-only": boolean | undefined;
  readonly "seccomp-profile": string | undefined;
  readonly tty: boolean | undefined;
  readonly user: string | undefined;
}

/**
 * What `IMAGE ID [COMMAND...]` and the options say. As containerd does it, an image is never fetched for it, and there is no
 * network unless it is asked for.
 */
export async function ctrContainer(
  values: ContainerValues,
  [image = "", id = "", ...command]: readonly string[],
): Promise<ContainerOptions> {
  if (image === "") throw new CtrFailure("image ref must be provided: invalid argument");
  if (id === "") throw new CtrFailure("container id must be provided: invalid argument");
  if (values["net-host"] === true && values.cni === true)
    throw invalidArgument("Cannot use --net-host with --cni: it is one network or the other");
  const { hostVariable, readEnvFile } = await import("../container-options.ts");
  const { parseInteger } = await import("#engine");
  const whole = (name: "cpu-period" | "cpu-quota" | "cpu-shares"): number | undefined => {
    const text = values[name];
    return text === undefined ? undefined : parseInteger(text, `--${name}`, 1, Number.MAX_SAFE_INTEGER);
  };
  const given = {
    command: command.length === 0 ? undefined : command,
    cpuPeriod: whole("cpu-period"),
    cpuQuota: whole("cpu-quota"),
    cpuShares: whole("cpu-shares"),
    cpus: values.cpus,
    workdir: values.cwd,
    memory: values["memory-limit"],
    platform: values.platform,
    seccomp: profile(values["seccomp-profile"]),
    user: values.user,
  };
  return {
    image,
    name: id,
    pull: "never",
    openStdin: true,
    stdinOnce: true,
    network: values["net-host"] === true ? "host" : values.cni === true ? "bridge" : "none",
    env: [...values["env-file"].flatMap(readEnvFile), ...values.env.flatMap(hostVariable)],
    labels: Object.fromEntries(values.label.map(pair)),
    mounts: values.mount.map(parseMount),
    devices: values.device.map((path) => ({ hostPath: path, path, permissions: "rwm" })),
    capAdd: values["cap-add"],
    capDrop: values["cap-drop"],
    noNewPrivileges: values["allow-new-privs"] !== true,
    privileged: values.privileged === true,
    readOnly: values["read-only"] === true,
    tty: values.tty === true,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
}

function pair(text: string): readonly [string, string] {
  const [key = "", value = ""] = text.split(/=(.*)/s, 2);
  return [key, value];
}

function profile(file: string | undefined): object | undefined {
  if (file === undefined) return undefined;
  try {
    const read = JSON.parse(readFileSync(file, "utf8")) as unknown;
    if (typeof read === "object" && read !== null) return read;
  } catch (error) {
    throw invalidArgument(`Cannot read --seccomp-profile "${file}": ${(error as Error).message}`, { cause: error });
  }
  throw invalidArgument(`Cannot read --seccomp-profile "${file}": it is no object of JSON`);
}

const propagations = new Set(["private", "rprivate", "shared", "rshared", "slave", "rslave"]);

/** `type=bind,src=/tmp,dst=/host,options=rbind:ro`. */
export function parseMount(text: string): MountOption {
  const fail = (state: string): never => {
    throw invalidArgument(`Cannot parse --mount "${text}": ${state}`);
  };
  const fields = new Map(text.split(",").map(pair));
  const known = new Set(["type", "src", "source", "dst", "destination", "target", "options"]);
  for (const name of fields.keys()) if (!known.has(name)) fail(`there is no "${name}"`);
  const type = fields.get("type") ?? "bind";
  const target = fields.get("dst") ?? fields.get("destination") ?? fields.get("target") ?? fail("it has no dst");
  const words = (fields.get("options") ?? "").split(":").filter((word) => word !== "");
  if (type === "tmpfs") return { type, target, tmpfsOptions: words };
  if (type !== "bind") fail(`its type is bind or tmpfs, not "${type}"`);
  const source = fields.get("src") ?? fields.get("source") ?? fail("it has no src");
  const flags = new Set(["noexec", "nodev", "nosuid"]);
  const propagation = words.find((word) => propagations.has(word));
  for (const word of words)
    if (!propagations.has(word) && !flags.has(word) && !["bind", "rbind", "ro", "rw"].includes(word))
      fail(`there is no option "${word}"`);
  return {
    type: "bind",
    source,
    target,
    readOnly: words.includes("ro"),
    mountOptions: words.filter((word) => flags.has(word)),
    ...(words.includes("bind") && !words.includes("rbind") && { nonRecursive: true }),
    ...(propagation !== undefined && { propagation }),
  };
}
