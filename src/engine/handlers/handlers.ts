/** Which other runtimes there are: those of the configuration, and those with known names that are found in PATH. */
import { accessSync, constants, existsSync, realpathSync, statSync } from "node:fs";
import { release } from "node:os";
import { basename, delimiter, isAbsolute, join } from "node:path";
import { failedPrecondition, invalidArgument, isSampanError, notFound } from "#errdefs";
import { sharesSandbox, type HandlerContainer, type HandlerType, type RuntimeHandler } from "#plan";
import type { ContainerRecord } from "../records.ts";

/** A runtime as the configuration names it. */
export interface RuntimeDefinition {
  /** Absolute, or a name that is looked for in PATH; the runtime's own name by default. */
  readonly path?: string;
  /** Before the command in every call, e.g. `--platform=ptrace`. */
  readonly arguments?: readonly string[];
  /** By its file's name when undefined: `runsc` and `kata…` are themselves, all others `oci`. */
  readonly type?: HandlerType;
}

export type RuntimeDefinitions = Readonly<Record<string, RuntimeDefinition>>;

/** The runtime that needs no other program. */
export const builtInRuntime = "sampan";

const knownNames = ["runc", "crun", "runsc"] as const;
const moreDirectories = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"];

export class Handlers {
  readonly #definitions: () => Promise<RuntimeDefinitions>;
  readonly #state: string;

  /**
   * @param definitions of the configuration; asked for late
   * @param state directory in which each runtime has one for what it knows
   */
  constructor(definitions: () => Promise<RuntimeDefinitions>, state: string) {
    this.#definitions = definitions;
    this.#state = state;
  }

  /**
   * The runtime of a name; undefined for the one that is built in.
   *
   * @throws SampanError `not-found` for an unknown name, `failed-precondition` when its program is not there
   */
  async resolve(name: string | undefined): Promise<RuntimeHandler | undefined> {
    if (name === undefined || name === "" || name === builtInRuntime) return undefined;
    checkRuntimeName(name);
    const definitions = await this.#definitions();
    const definition = Object.hasOwn(definitions, name) ? definitions[name] : undefined;
    const known = (knownNames as readonly string[]).includes(name);
    if (definition === undefined && !known)
      throw notFound(`Cannot use runtime "${name}": it is in no configuration`, {
        remedy: `Add [runtimes.${name}] with its path to the configuration; there are ${[...(await this.names())].join(", ")}`,
      });
    const path = findProgram(definition?.path ?? name);
    if (path === undefined)
      throw failedPrecondition(`Cannot use runtime "${name}": there is no program "${definition?.path ?? name}"`, {
        remedy: "Install it, or correct its path in the configuration",
      });
    const type = definition?.type ?? typeOf(path);
    const words = definition?.arguments ?? [];
    return {
      name,
      path,
      arguments: words,
      type,
      ...(basename(path).startsWith("crun") && existsSync(unifiedCgroup) && { hides: [unifiedCgroup] }),
      ...(type === "runsc" && !words.some((w) => w.includes("-network")) && (await needsKernelNetwork(path))
        ? { kernelNetwork: true }
        : {}),
    };
  }

  /** The built-in one first, then those of the configuration, then those that are installed. */
  async names(): Promise<readonly string[]> {
    const installed = knownNames.filter((name) => findProgram(name) !== undefined);
    return [...new Set([builtInRuntime, ...Object.keys(await this.#definitions()), ...installed])];
  }

  /** Where a runtime keeps what it knows of its containers. */
  root({ name }: RuntimeHandler): string {
    return join(this.#state, name);
  }

  /** A container of another runtime; undefined for one of the built-in's. */
  container({ id, options, resolved }: ContainerRecord): HandlerContainer | undefined {
    const { handler, pod } = resolved;
    if (handler === undefined) return undefined;
    return {
      handler,
      id,
      root: this.root(handler),
      hostNetwork: options.network === "host",
      ...(pod !== undefined && sharesSandbox(handler) && { sandbox: { id: pod.id, first: false } }),
    };
  }
}

/** @throws SampanError `invalid-argument` for what can't be a name */
function checkRuntimeName(name: string): void {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}$/.test(name))
    throw invalidArgument(
      `Cannot use runtime "${name}": its name has letters, digits, "_", "." and "-" only, 64 at most`,
    );
}

function typeOf(path: string): HandlerType {
  const name = basename(path);
  if (name.startsWith("runsc")) return "runsc";
  return name.startsWith("kata") ? "kata" : "oci";
}

function findProgram(name: string): string | undefined {
  if (isAbsolute(name)) return isProgram(name) ? name : undefined;
  if (name.includes("/")) return undefined;
  const directories = [...(process.env["PATH"] ?? "").split(delimiter), ...moreDirectories];
  for (const directory of directories) {
    const path = join(directory, name);
    if (isAbsolute(directory) && isProgram(path)) return realpathSync(path);
  }
  return undefined;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Where cgroup v2 is beside v1: crun before 1.9 refuses such a host. */
const unifiedCgroup = "/sys/fs/cgroup/unified";

/**
 * From Linux 6.11 on a network namespace looks like the host's to runsc's of before August 2024, and their network stack
 * does not start (google/gvisor#10704).
 */
async function needsKernelNetwork(path: string): Promise<boolean> {
  const [major = 0, minor = 0] = release().split(".").map(Number);
  if (major < 6 || (major === 6 && minor < 11)) return false;
  const { runProgram } = await import("#runtime");
  const version = await runProgram(path, ["--version"], `Cannot ask "${path}" for its version`);
  const date = /\b(20\d{6})\b/.exec(version)?.[1];
  return date !== undefined && date < "20240801";
}

/** A runtime as `info` and `doctor` show it. */
export interface RuntimeInfo {
  readonly name: string;
  readonly path: string;
  readonly type: HandlerType | "built-in";
  /** The first line of what it says of itself; empty when it says nothing. */
  readonly version: string;
  /** What `features` prints (runtime-spec features.md), where it knows that. */
  readonly features?: unknown;
  /** Why it can't be used. */
  readonly problem?: string;
}

/** All runtimes, each asked for its version and features. */
export async function describeRuntimes(handlers: Handlers): Promise<readonly RuntimeInfo[]> {
  const { runProgram } = await import("#runtime");
  const describe = async (name: string): Promise<RuntimeInfo> => {
    let path = "";
    try {
      const handler = await handlers.resolve(name);
      if (handler === undefined) return { name, path: "", type: "built-in", version: "" };
      path = handler.path;
      const said = await runProgram(path, ["--version"], `Cannot ask runtime "${name}" for its version`);
      const features = await runProgram(path, ["features"], "").then(parseFeatures, () => undefined);
      const [version = ""] = said.split("\n");
      return { name, path, type: handler.type, version, ...(features !== undefined && { features }) };
    } catch (error) {
      if (!isSampanError(error)) throw error;
      return { name, path, type: "oci", version: "", problem: error.message };
    }
  };
  return await Promise.all((await handlers.names()).map(describe));
}

function parseFeatures(text: string): unknown {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
