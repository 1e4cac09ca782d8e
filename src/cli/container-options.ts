/** What the options of a command line mean to the engine. Reads env files and seccomp profiles. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseInteger, type ContainerOptions, type DeviceOption, type MountOption, type UlimitOption } from "#engine";
import { invalidArgument } from "#errdefs";
import { parseSecret, splitFields } from "./secret-options.ts";
import { careOptions } from "./care-options.ts";
import { fixedLimitOptions, limitOptions } from "./limit-options.ts";
import { networkOptions } from "./network-options.ts";
import type { RunValues } from "./run-flags.ts";

/** Turns parsed flags and the words behind them into the engine's options. Reads env files and seccomp profiles. */
export function containerOptions(values: RunValues, words: readonly string[]): ContainerOptions {
  const [image = "", ...command] = words;
  const security = (values["security-opt"] ?? []).map(parseSecurityOption);
  const options: { -readonly [K in keyof ContainerOptions]: ContainerOptions[K] } = { image };
  if (command.length > 0) options.command = command;
  if (values.entrypoint !== undefined) options.entrypoint = values.entrypoint === "" ? [] : [values.entrypoint];
  copyDefined(options, values);
  Object.assign(options, limitOptions(values), fixedLimitOptions(values), careOptions(values));
  Object.assign(options, networkOptions(values));
  const env = [...(values["env-file"] ?? []).flatMap(readEnvFile), ...(values.env ?? []).flatMap(hostVariable)];
  if (env.length > 0) options.env = env;
  const labels = (values.label ?? []).map((l) => splitPair(l));
  if (labels.length > 0) options.labels = Object.fromEntries(labels);
  const mounts = [
    ...(values.volume ?? []).map(parseVolume),
    ...(values.mount ?? []).map(parseMount),
    ...(values.tmpfs ?? []).map(parseTmpfs),
  ];
  if (mounts.length > 0) options.mounts = mounts;
  if (values.pod !== undefined) options.pod = values.pod;
  if (values["volumes-from"].length > 0) options.volumesFrom = values["volumes-from"];
  const secrets = [
    ...values.secret.map((text) => parseSecret(text, "--secret")),
    ...values.config.map((text) => parseSecret(text, "--config")),
  ];
  if (secrets.length > 0) options.secrets = secrets;
  const seccomp = security.findLast((s) => s.seccomp !== undefined)?.seccomp;
  if (seccomp !== undefined) options.seccomp = seccomp;
  const noNewPrivileges = security.findLast((s) => s.noNewPrivileges !== undefined)?.noNewPrivileges;
  if (noNewPrivileges !== undefined) options.noNewPrivileges = noNewPrivileges;
  if ((values.ulimit ?? []).length > 0) options.ulimits = (values.ulimit ?? []).map(parseUlimit);
  if ((values.sysctl ?? []).length > 0)
    options.sysctls = Object.fromEntries((values.sysctl ?? []).map((s) => requirePair(s, "--sysctl")));
  const [cdi = [], plain = []] = [true, false].map((wanted) =>
    (values.device ?? []).filter((text) => isCdiName(text) === wanted),
  );
  if (plain.length > 0) options.devices = plain.map(parseDevice);
  if (cdi.length > 0) options.cdiDevices = cdi;
  return options;
}

function copyDefined(
  options: { -readonly [K in keyof ContainerOptions]: ContainerOptions[K] },
  values: RunValues,
): void {
  if (values.name !== undefined) options.name = values.name;
  if (values.workdir !== undefined) options.workdir = values.workdir;
  if (values.user !== undefined) options.user = values.user;
  if ((values["group-add"] ?? []).length > 0) options.groupAdd = values["group-add"];
  if (values.hostname !== undefined) options.hostname = values.hostname;
  if (values.domainname !== undefined) options.domainname = values.domainname;
  if (values["read-only"] !== undefined) options.readOnly = values["read-only"];
  if (values["shm-size"] !== undefined) options.shmSize = values["shm-size"];
  if ((values["cap-add"] ?? []).length > 0) options.capAdd = values["cap-add"];
  if ((values["cap-drop"] ?? []).length > 0) options.capDrop = values["cap-drop"];
  if (values.privileged !== undefined) options.privileged = values.privileged;
  if (values.init !== undefined) options.init = values.init;
  if (values.ipc !== undefined) options.ipc = values.ipc;
  if (values.pid !== undefined) options.pid = values.pid;
  if (values.uts !== undefined) options.uts = values.uts;
  if (values.platform !== undefined) options.platform = values.platform;
  if (values.tty !== undefined) options.tty = values.tty;
  if (values.interactive !== undefined) options.openStdin = values.interactive;
  if (values["stop-signal"] !== undefined) options.stopSignal = values["stop-signal"];
  if (values["stop-timeout"] !== undefined)
    options.stopTimeout = parseInteger(values["stop-timeout"], "--stop-timeout", 0, 2 ** 31 - 1);
  if (values.pull !== undefined) {
    if (values.pull !== "missing" && values.pull !== "always" && values.pull !== "never")
      throw invalidArgument(`Cannot parse --pull "${values.pull}": it is missing, always or never`);
    options.pull = values.pull;
  }
}

function splitPair(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function requirePair(text: string, what: string): readonly [string, string] {
  const pair = splitPair(text);
  if (pair[0] === "" || !text.includes("="))
    throw invalidArgument(`Cannot parse ${what} "${text}": it is not NAME=VALUE`);
  return pair;
}

/** `NAME` alone takes this process' value, and nothing when there is none. */
export function hostVariable(text: string): string[] {
  if (text.startsWith("=") || text === "") throw invalidArgument(`Cannot parse --env "${text}": the name is empty`);
  if (text.includes("=")) return [text];
  const value = process.env[text];
  return value === undefined ? [] : [`${text}=${value}`];
}

/** One variable a line, `#` starts a comment line, values are taken as they are. */
export function readEnvFile(path: string): string[] {
  const lines = readUserFile(path, "--env-file").split("\n");
  return lines.flatMap((raw, index) => {
    const line = raw.replace(/\r$/, "").trimStart();
    if (line === "" || line.startsWith("#")) return [];
    const name = splitPair(line)[0];
    if (name === "" || /\s/.test(name))
      throw invalidArgument(`Cannot read "${path}": line ${index + 1} has no variable name`);
    return hostVariable(line);
  });
}

function readUserFile(path: string, what: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw invalidArgument(`Cannot read ${what} "${path}": ${(error as Error).message.replace(/^\w+: /, "")}`, {
      path,
      cause: error,
    });
  }
}

/** `SRC:DST[:OPTIONS]`, or `DST` alone for an anonymous volume. */
function parseVolume(text: string): MountOption {
  const parts = text.split(":");
  if (parts.length > 3 || parts.some((p) => p === ""))
    throw invalidArgument(`Cannot parse --volume "${text}": it is not SRC:DST[:OPTIONS]`);
  if (parts.length === 1) return { type: "volume", target: text };
  const [source = "", target = "", modes = ""] = parts;
  const path =
    source.startsWith("/") || source.startsWith("./") || source.startsWith("../") || source === "." || source === "..";
  const mount: { -readonly [K in keyof MountOption]: MountOption[K] } = {
    type: path ? "bind" : "volume",
    source: path ? resolve(source) : source,
    target,
  };
  for (const mode of modes === "" ? [] : modes.split(",")) {
    if (mode === "ro") mount.readOnly = true;
    else if (mode === "rw") mount.readOnly = false;
    else if (mode === "nocopy") mount.noCopy = true;
    else if (/^r?(private|shared|slave)$/.test(mode)) mount.propagation = mode;
    else if (mode !== "z" && mode !== "Z")
      throw invalidArgument(`Cannot parse --volume "${text}": "${mode}" is no option of a volume`, {
        remedy: "Options are ro, rw, nocopy, and private, shared or slave with an optional r in front",
      });
  }
  return mount;
}

/** `type=bind,src=…,dst=…,readonly`, in Docker's words. */
function parseMount(text: string): MountOption {
  const mount: { -readonly [K in keyof MountOption]: MountOption[K] } = { type: "volume", target: "" };
  const tmpfs: string[] = [];
  const flag = (name: string, value: string): boolean => {
    if (value === "" || value === "true" || value === "1") return true;
    if (value === "false" || value === "0") return false;
    throw invalidArgument(`Cannot parse --mount "${text}": ${name} takes true or false`);
  };
  for (const part of splitFields(text)) {
    const [name, value] = splitPair(part);
    switch (name) {
      case "type":
        if (value !== "bind" && value !== "volume" && value !== "tmpfs" && value !== "image")
          throw invalidArgument(`Cannot parse --mount "${text}": type is bind, volume, tmpfs or image`);
        mount.type = value;
        break;
      case "source":
      case "src":
        mount.source = value;
        break;
      case "target":
      case "destination":
      case "dst":
        mount.target = value;
        break;
      case "readonly":
      case "ro":
        mount.readOnly = flag(name, value);
        break;
      case "subpath":
      case "image-subpath":
        mount.subpath = value;
        break;
      case "bind-propagation":
        mount.propagation = value;
        break;
      case "bind-nonrecursive":
        mount.nonRecursive = flag(name, value);
        break;
      case "volume-driver":
        if (value !== "local") throw invalidArgument(`Cannot parse --mount "${text}": volume-driver is local`);
        break;
      case "volume-label": {
        const [key, label] = splitPair(value);
        mount.volumeLabels = { ...mount.volumeLabels, [key]: label };
        break;
      }
      case "volume-opt": {
        const [key, option] = splitPair(value);
        mount.volumeOptions = { ...mount.volumeOptions, [key]: option };
        break;
      }
      case "volume-nocopy":
        mount.noCopy = flag(name, value);
        break;
      case "tmpfs-size":
        tmpfs.push(`size=${value}`);
        break;
      case "tmpfs-mode":
        tmpfs.push(`mode=${value}`);
        break;
      default:
        throw invalidArgument(`Cannot parse --mount "${text}": "${name}" is no field of a mount`);
    }
  }
  if (mount.target === "") throw invalidArgument(`Cannot parse --mount "${text}": dst is missing`);
  if (mount.type === "bind") {
    if (mount.source === undefined || mount.source === "")
      throw invalidArgument(`Cannot parse --mount "${text}": src is missing`);
    mount.source = resolve(mount.source);
  }
  if (tmpfs.length > 0) mount.tmpfsOptions = tmpfs;
  if (mount.type === "image" && (mount.source === undefined || mount.source === ""))
    throw invalidArgument(`Cannot parse --mount "${text}": src is missing`);
  if (mount.type === "image" && mount.readOnly === false)
    throw invalidArgument(`Cannot parse --mount "${text}": an image is mounted read-only`);
  if (mount.type !== "image" && mount.subpath !== undefined)
    throw invalidArgument(`Cannot parse --mount "${text}": subpath is for an image`);
  return mount;
}

function parseTmpfs(text: string): MountOption {
  const at = text.indexOf(":");
  if (at < 0) return { type: "tmpfs", target: text };
  return {
    type: "tmpfs",
    target: text.slice(0, at),
    tmpfsOptions: text
      .slice(at + 1)
      .split(",")
      .filter((o) => o !== ""),
  };
}

/** `VENDOR/CLASS=NAME`, a device of the CDI; paths begin with a slash. */
const isCdiName = (text: string): boolean => /^[a-zA-Z][^/=]*\/[^/=]+=/.test(text);

function parseDevice(text: string): DeviceOption {
  const [hostPath = "", second, third, ...rest] = text.split(":");
  let path = hostPath;
  let permissions = "rwm";
  if (third !== undefined) {
    path = second ?? hostPath;
    permissions = third;
  } else if (second !== undefined) {
    if (/^[rwm]{1,3}$/.test(second)) permissions = second;
    else path = second;
  }
  if (!hostPath.startsWith("/") || !path.startsWith("/") || rest.length > 0 || !/^[rwm]{1,3}$/.test(permissions))
    throw invalidArgument(`Cannot parse --device "${text}": it is not HOST[:PATH[:rwm]]`);
  return { hostPath, path, permissions };
}

function parseUlimit(text: string): UlimitOption {
  const [name, value] = requirePair(text, "--ulimit");
  const [softText = "", hardText = softText, ...rest] = value.split(":");
  const number = (t: string): number => parseInteger(t, `--ulimit ${name}`, -1, Number.MAX_SAFE_INTEGER);
  const soft = number(softText);
  const hard = number(hardText);
  if (rest.length > 0) throw invalidArgument(`Cannot parse --ulimit "${text}": it is not NAME=SOFT[:HARD]`);
  if (hard !== -1 && (soft === -1 || soft > hard))
    throw invalidArgument(`Cannot set --ulimit "${text}": the soft limit is above the hard one`);
  return { name, soft, hard };
}

interface SecurityOption {
  readonly seccomp?: "unconfined" | object;
  readonly noNewPrivileges?: boolean;
}

function parseSecurityOption(text: string): SecurityOption {
  const at = text.search(/[=:]/);
  const name = at < 0 ? text : text.slice(0, at);
  const value = at < 0 ? "" : text.slice(at + 1);
  if (name === "no-new-privileges") return { noNewPrivileges: value !== "false" };
  if (name === "seccomp") {
    if (value === "")
      throw invalidArgument(`Cannot parse --security-opt "${text}": seccomp needs a file or unconfined`);
    if (value === "unconfined") return { seccomp: "unconfined" };
    const json = readUserFile(value, "seccomp profile");
    try {
      return { seccomp: JSON.parse(json) as object };
    } catch (error) {
      throw invalidArgument(`Cannot read seccomp profile "${value}": it is not JSON`, { path: value, cause: error });
    }
  }
  throw invalidArgument(`Cannot parse --security-opt "${text}": only seccomp and no-new-privileges are known`);
}
