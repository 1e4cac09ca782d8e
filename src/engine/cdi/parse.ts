import { invalidArgument, unsupported } from "#errdefs";
import {
  hookNames,
  type CdiDeviceNode,
  type CdiEdits,
  type CdiHook,
  type CdiIntelRdt,
  type CdiMount,
  type CdiNetDevice,
  type CdiSpec,
} from "./types.ts";
import { parseYaml } from "./yaml.ts";

const versions = /^(0\.[3-8]\.0|1\.[01]\.0)$/;
const kindPattern = /^[a-zA-Z]([a-zA-Z0-9_.-]*[a-zA-Z0-9])?\/[a-zA-Z]([a-zA-Z0-9_-]*[a-zA-Z0-9])?$/;
const devicePattern = /^[a-zA-Z0-9]([a-zA-Z0-9_.:-]*[a-zA-Z0-9])?$/;
const mostItems = 10_000;

export const noEdits: CdiEdits = {
  env: [],
  deviceNodes: [],
  mounts: [],
  hooks: [],
  additionalGids: [],
  netDevices: [],
};

/**
 * @param path ends with .json or .yaml
 * @throws SampanError `invalid-argument` that names the file, the property and the rule
 */
export function parseCdi(text: string, path: string): CdiSpec {
  const root = new Value(readText(text, path), path, "");
  root.knows(["cdiVersion", "kind", "annotations", "devices", "containerEdits"]);
  const version = root.at("cdiVersion").text();
  if (!versions.test(version))
    throw root.at("cdiVersion").problem(`"${version}" is no version of the CDI that is known`);
  const kind = root.at("kind").text();
  if (!kindPattern.test(kind)) throw root.at("kind").problem(`"${kind}" is not of the form vendor.com/class`);
  const devices = new Map<string, CdiEdits>();
  for (const device of root.at("devices").list()) {
    device.knows(["name", "annotations", "containerEdits"]);
    const name = device.at("name").text();
    if (!devicePattern.test(name)) throw device.at("name").problem(`"${name}" is no name of a device`);
    if (devices.has(name)) throw device.at("name").problem(`"${name}" is there twice`);
    devices.set(name, readEdits(device.at("containerEdits")));
  }
  if (devices.size === 0) throw root.at("devices").problem("it is empty");
  return { kind, devices, edits: readEdits(root.at("containerEdits")) };
}

function readText(text: string, path: string): unknown {
  if (!path.endsWith(".json")) return parseYaml(text, path);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalidArgument(`Cannot read "${path}": it is not JSON`, { path, cause: error });
  }
}

function readEdits(value: Value): CdiEdits {
  if (value.isMissing()) return noEdits;
  value.knows(["env", "deviceNodes", "mounts", "hooks", "intelRdt", "additionalGids", "netDevices"]);
  const intelRdt = value.at("intelRdt");
  return {
    env: value.at("env").list().map(readVariable),
    deviceNodes: value.at("deviceNodes").list().map(readNode),
    mounts: value.at("mounts").list().map(readMount),
    hooks: value.at("hooks").list().map(readHook),
    additionalGids: value
      .at("additionalGids")
      .list()
      .map((gid) => gid.integer(0, 2 ** 32 - 2)),
    netDevices: value.at("netDevices").list().map(readNetDevice),
    ...(!intelRdt.isMissing() && { intelRdt: readIntelRdt(intelRdt) }),
  };
}

function readVariable(value: Value): string {
  const text = value.text();
  return /^[^=]+=/.test(text) ? text : value.fail(`"${text}" is not NAME=value`);
}

function readNode(value: Value): CdiDeviceNode {
  value.knows(["path", "hostPath", "type", "major", "minor", "fileMode", "permissions", "uid", "gid"]);
  const type = value.at("type").optionalText();
  if (type !== undefined && !/^[bcup]$/.test(type)) value.at("type").fail(`"${type}" is none of b, c, u and p`);
  const permissions = value.at("permissions").optionalText() ?? "rwm";
  if (!/^[rwm]{1,3}$/.test(permissions)) value.at("permissions").fail(`"${permissions}" is not of r, w and m`);
  const number = (name: "major" | "minor" | "fileMode" | "uid" | "gid"): object => {
    const given = value.at(name);
    return given.isMissing() ? {} : { [name]: given.integer(0, name === "fileMode" ? 0o7777 : 2 ** 32 - 1) };
  };
  const hostPath = value.at("hostPath").optionalPath();
  return {
    path: value.at("path").path(),
    ...(hostPath !== undefined && { hostPath }),
    ...(type !== undefined && { type: type as NonNullable<CdiDeviceNode["type"]> }),
    ...number("major"),
    ...number("minor"),
    ...number("fileMode"),
    permissions,
    ...number("uid"),
    ...number("gid"),
  };
}

function readMount(value: Value): CdiMount {
  value.knows(["hostPath", "containerPath", "type", "options"]);
  const type = value.at("type").optionalText() ?? "bind";
  return {
    // Of a filesystem that is none of the host's, such as a tmpfs, it is a name.
    hostPath: type === "bind" ? value.at("hostPath").path() : value.at("hostPath").text(),
    containerPath: value.at("containerPath").path(),
    type,
    options: value
      .at("options")
      .list()
      .map((option) => option.text()),
  };
}

function readHook(value: Value): CdiHook {
  value.knows(["hookName", "path", "args", "env", "timeout"]);
  const hookName = value.at("hookName").text();
  const known = hookNames.find((name) => name === hookName);
  if (known === undefined) {
    if (hookName === "poststart" || hookName === "poststop")
      throw unsupported(`${value.at("hookName").place}: hooks "${hookName}" are not run`);
    value.at("hookName").fail(`"${hookName}" is none of ${hookNames.join(", ")}`);
  }
  const timeout = value.at("timeout");
  return {
    hookName: known ?? "prestart",
    path: value.at("path").path(),
    args: value
      .at("args")
      .list()
      .map((word) => word.text()),
    env: value.at("env").list().map(readVariable),
    ...(!timeout.isMissing() && { timeout: timeout.integer(1, 2 ** 22) }),
  };
}

function readIntelRdt(value: Value): CdiIntelRdt {
  value.knows(["closID", "l3CacheSchema", "memBwSchema", "schemata", "enableMonitoring", "enableCMT", "enableMBM"]);
  const text = (name: "closID" | "l3CacheSchema" | "memBwSchema"): object => {
    const given = value.at(name).optionalText();
    return given === undefined ? {} : { [name]: given };
  };
  return {
    ...text("closID"),
    ...text("l3CacheSchema"),
    ...text("memBwSchema"),
    schemata: value
      .at("schemata")
      .list()
      .map((line) => line.text()),
    enableMonitoring: ["enableMonitoring", "enableCMT", "enableMBM"].some((name) => value.at(name).flag()),
  };
}

function readNetDevice(value: Value): CdiNetDevice {
  value.knows(["hostInterfaceName", "name"]);
  return { hostInterfaceName: value.at("hostInterfaceName").text(), name: value.at("name").text() };
}

/** A value with its place in the file. */
class Value {
  readonly #value: unknown;
  readonly #file: string;
  readonly #path: string;

  constructor(value: unknown, file: string, path: string) {
    this.#value = value;
    this.#file = file;
    this.#path = path;
  }

  get place(): string {
    return `Cannot read "${this.#file}": ${this.#path === "" ? "the file" : this.#path}`;
  }

  problem(what: string): Error {
    return invalidArgument(`${this.place}: ${what}`, { path: this.#file });
  }

  fail(what: string): never {
    throw this.problem(what);
  }

  isMissing(): boolean {
    return this.#value === undefined || this.#value === null;
  }

  /** A map with these properties and no others. */
  knows(names: readonly string[]): void {
    const unknown = Object.keys(this.#map()).find((name) => !names.includes(name));
    if (unknown !== undefined) this.fail(`it has no property "${unknown}"`);
  }

  #map(): object {
    const value = this.#value;
    if (typeof value !== "object" || value === null || Array.isArray(value)) return this.fail("it is no map");
    return value;
  }

  at(name: string): Value {
    const map = this.#map() as Readonly<Record<string, unknown>>;
    const value = Object.hasOwn(map, name) ? map[name] : undefined;
    return new Value(value, this.#file, this.#path === "" ? name : `${this.#path}.${name}`);
  }

  /** Empty where it is missing. */
  list(): readonly Value[] {
    if (this.isMissing()) return [];
    if (!Array.isArray(this.#value)) return this.fail("it is no list");
    if (this.#value.length > mostItems) this.fail(`it has more than ${mostItems} items`);
    return this.#value.map((item, index) => new Value(item, this.#file, `${this.#path}[${index}]`));
  }

  text(): string {
    const value = this.#value;
    if (this.isMissing()) return this.fail("it is missing");
    if (typeof value !== "string" || value === "") return this.fail("it is no text");
    return value.includes("\0") ? this.fail("it contains a NUL character") : value;
  }

  optionalText(): string | undefined {
    return this.isMissing() || this.#value === "" ? undefined : this.text();
  }

  path(): string {
    const path = this.text();
    if (!path.startsWith("/") || path.split("/").includes("..")) this.fail(`"${path}" is no absolute path`);
    return path;
  }

  optionalPath(): string | undefined {
    return this.isMissing() || this.#value === "" ? undefined : this.path();
  }

  integer(least: number, most: number): number {
    const value = this.#value;
    if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most)
      return this.fail(`it is no number from ${least} to ${most}`);
    return value;
  }

  flag(): boolean {
    if (this.isMissing()) return false;
    return typeof this.#value === "boolean" ? this.#value : this.fail("it is neither true nor false");
  }
}
