/** The plugins of a list, called one after another (CNI 1.1, section 2 and 3). */
import { failedPrecondition, isSampanError, unsupported } from "#errdefs";
import type { Executor } from "#keel";
import type { Operation } from "#plan";
import type { CniAttachment } from "./attachment.ts";
import { runtimeConfigOf } from "./capabilities.ts";
import type { CniList, CniPlugin } from "./configuration.ts";
import { CniPluginError, incompatibleVersion, tryAgain } from "./failure.ts";
import { findPlugin, pluginOperation, runPlugin, type CniCall, type CniCommand } from "./plugin.ts";
import { CniReader, type JsonObject } from "./reader.ts";
import { emptyResult, readResult, resultInVersion } from "./result.ts";
import { cniVersions, isSince, type CniVersion } from "./version.ts";

export interface ChainOptions {
  readonly executor: Executor;
  /** Where programs of plugins are, in the order of looking. */
  readonly directories: readonly string[];
  /** Milliseconds that one call may take. */
  readonly timeout: number;
  /** A file for each container, in an existing directory, that one call at a time holds. */
  readonly lockOf: (container: string) => string;
}

/** Calls that are repeated when a plugin asks for that, and what is waited before the next, in milliseconds. */
const attempts = 4;
const pause = 250;
const versionTimeout = 5000;

const words: Readonly<Record<CniCommand, string>> = {
  ADD: "add",
  CHECK: "check",
  DEL: "remove",
  GC: "clean up",
  STATUS: "ask for the status of",
  VERSION: "ask for the versions of",
};

function actionOf(command: CniCommand, list: CniList, container?: string): string {
  const network = `CNI network "${list.name}"`;
  if (container === undefined) return `${words[command]} ${network}`;
  const preposition = { ADD: "to", DEL: "from" }[command as "ADD"] ?? "on";
  return `${words[command]} container "${container.slice(0, 12)}" ${preposition} ${network}`;
}

/** A plugin's configuration for one call: what the list says for all, and what the call adds (section 3, "Deriving"). */
function configOf(
  plugin: CniPlugin,
  list: CniList,
  version: CniVersion,
  more: { readonly [name: string]: JsonObject | readonly JsonObject[] | undefined },
): JsonObject {
  const { capabilities: _, prevResult: __, runtimeConfig: ___, cniVersions: ____, ...raw } = plugin.raw;
  return {
    ...raw,
    cniVersion: version,
    name: list.name,
    ...Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined)),
  };
}

export class CniChain {
  readonly #options: ChainOptions;

  constructor(options: ChainOptions) {
    this.#options = options;
  }

  #call(
    attachment: CniAttachment,
    command: CniCommand,
    plugin: CniPlugin,
    previous: JsonObject | undefined,
    timeout = this.#options.timeout,
  ): CniCall {
    const { list, container, namespace, args, wishes } = attachment;
    return {
      command,
      plugin: plugin.type,
      action: actionOf(command, list, container),
      config: configOf(plugin, list, list.version, {
        runtimeConfig: runtimeConfigOf(plugin, wishes),
        prevResult: previous,
      }),
      container,
      namespace,
      interface: attachment.interface,
      args,
      timeout,
      lock: this.#options.lockOf(container),
    };
  }

  /** @throws SampanError `not-found` for a plugin that is not there */
  locate(list: CniList, container: string): void {
    for (const { type } of list.plugins) findPlugin(type, this.#options.directories, actionOf("ADD", list, container));
  }

  /** A plugin may ask to be called again, and may not know the version. */
  async #run(call: CniCall): Promise<JsonObject | undefined> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await runPlugin(this.#options.executor, call, this.#options.directories);
      } catch (error) {
        if (!(error instanceof CniPluginError)) throw error;
        if (error.cniCode === incompatibleVersion) throw await this.#incompatible(call, error);
        if (error.cniCode !== tryAgain || attempt === attempts) throw error;
        await new Promise((resolve) => setTimeout(resolve, pause * attempt));
      }
    }
  }

  async #incompatible(call: CniCall, error: CniPluginError): Promise<Error> {
    const { directories } = this.#options;
    const known = await pluginVersions(this.#options.executor, call.plugin, directories).catch(() => []);
    if (known.length === 0) return error;
    return unsupported(
      `Cannot ${call.action}: plugin "${call.plugin}" speaks CNI ${known.join(", ")}, and not ${String(call.config["cniVersion"])}`,
      {
        cause: error,
        ...(error.fields.path !== undefined && { path: error.fields.path }),
        remedy: `Put one of them into cniVersion`,
      },
    );
  }

  /**
   * The list with the latest version that all its plugins know. Asks them only where the list leaves a choice.
   *
   * @throws SampanError `not-found` for a plugin that is not there, `unsupported` when they have no version in common
   */
  async negotiate(list: CniList): Promise<CniList> {
    const { executor, directories } = this.#options;
    if (list.versions.length === 1) return list;
    let common: readonly CniVersion[] = list.versions;
    for (const type of new Set(list.plugins.map((plugin) => plugin.type))) {
      const known = await pluginVersions(executor, type, directories);
      common = common.filter((version) => known.includes(version));
    }
    const version = common.at(-1);
    if (version === undefined)
      throw unsupported(
        `Cannot use CNI network "${list.name}": its plugins have none of its versions ${list.versions.join(", ")} in common`,
        { path: list.path },
      );
    return { ...list, version };
  }

  /**
   * Adds a container. After a failure all of its plugins were told to take it back.
   *
   * @param progress hears of each plugin's result
   * @param rollback hears of what could not be taken back
   * @returns the last plugin's result, in the list's version
   */
  async add(
    attachment: CniAttachment,
    progress: (partial: JsonObject) => void,
    rollback: (error: unknown) => void,
  ): Promise<JsonObject> {
    let previous: JsonObject = resultInVersion(emptyResult, attachment.list.version);
    let isFirst = true;
    try {
      for (const plugin of attachment.list.plugins) {
        const answer = await this.#run(this.#call(attachment, "ADD", plugin, isFirst ? undefined : previous));
        previous = this.#accept(attachment, plugin, answer);
        isFirst = false;
        progress(previous);
      }
    } catch (error) {
      await this.remove(isFirst ? attachment : { ...attachment, partial: previous }).catch(rollback);
      throw error;
    }
    return previous;
  }

  /** A result of another version than was asked for is brought to that one. */
  #accept({ list, container }: CniAttachment, plugin: CniPlugin, answer: JsonObject | undefined): JsonObject {
    const what = `the answer of CNI plugin "${plugin.type}"`;
    if (answer === undefined)
      throw failedPrecondition(
        `Cannot ${actionOf("ADD", list, container)}: plugin "${plugin.type}" has printed no result`,
      );
    const { version, result } = readResult(answer, what);
    return version === list.version ? answer : resultInVersion(result, list.version);
  }

  /**
   * Takes a container back, from the last plugin to the first. Idempotent. Goes on after a failure, and throws the first.
   */
  async remove(attachment: CniAttachment): Promise<void> {
    let failure: unknown;
    for (const plugin of attachment.list.plugins.toReversed())
      try {
        await this.#run(this.#call(attachment, "DEL", plugin, previousFor("DEL", attachment)));
      } catch (error) {
        failure ??= error;
      }
    if (failure !== undefined) throw failure as Error;
  }

  /** What {@link CniChain.remove} does, for whoever sees the container's end. @param timeout of one call, milliseconds */
  removal(attachment: CniAttachment, timeout: number): Operation[] {
    return attachment.list.plugins
      .toReversed()
      .map((plugin) =>
        pluginOperation(
          this.#call(attachment, "DEL", plugin, previousFor("DEL", attachment), timeout),
          this.#options.directories,
          true,
        ),
      );
  }

  /** Whether all is as it was made. @throws SampanError what is not; `unsupported` before CNI 0.4.0 */
  async check(attachment: CniAttachment): Promise<void> {
    const { list } = attachment;
    if (list.disableCheck) return;
    if (!isSince(list.version, "0.4.0"))
      throw unsupported(`Cannot check CNI network "${list.name}": CNI ${list.version} has no CHECK`, {
        path: list.path,
      });
    for (const plugin of list.plugins)
      await this.#run(this.#call(attachment, "CHECK", plugin, previousFor("CHECK", attachment)));
  }

  /** Whether containers can be added. @throws SampanError why not */
  async status(list: CniList, timeout: number): Promise<void> {
    for (const plugin of list.plugins) {
      const call = this.#listCall("STATUS", plugin, list, {}, timeout);
      if (isSince(list.version, "1.1.0")) await this.#run(call);
      else pluginOperation(call, this.#options.directories);
    }
  }

  /** Has plugins remove what they keep for containers that are not among `valid`. Does nothing before CNI 1.1. */
  async collect(list: CniList, valid: readonly Pick<CniAttachment, "container" | "interface">[]): Promise<void> {
    if (list.disableGC || !isSince(list.version, "1.1.0")) return;
    const attachments = valid.map((one) => ({ containerID: one.container, ifname: one.interface }));
    let failure: unknown;
    for (const plugin of list.plugins)
      try {
        await this.#run(this.#listCall("GC", plugin, list, { "cni.dev/valid-attachments": attachments }));
      } catch (error) {
        failure ??= error;
      }
    if (failure !== undefined) throw failure as Error;
  }

  #listCall(
    command: CniCommand,
    plugin: CniPlugin,
    list: CniList,
    more: Readonly<Record<string, readonly JsonObject[]>>,
    timeout = this.#options.timeout,
  ): CniCall {
    const config = configOf(plugin, list, list.version, more);
    return { command, plugin: plugin.type, action: actionOf(command, list), config, timeout };
  }
}

/** The result that plugins are shown again, from 0.4.0 on. */
function previousFor(command: "DEL" | "CHECK", { list, result, partial }: CniAttachment): JsonObject | undefined {
  return command === "CHECK" || isSince(list.version, "0.4.0") ? (result ?? partial) : undefined;
}

/** Versions that a plugin says it knows. */
async function pluginVersions(
  executor: Executor,
  plugin: string,
  directories: readonly string[],
): Promise<readonly string[]> {
  const action = `ask plugin "${plugin}" for its versions`;
  const config = { cniVersion: cniVersions.at(-1) };
  const call: CniCall = { command: "VERSION", plugin, action, config, timeout: versionTimeout };
  try {
    const answer = (await runPlugin(executor, call, directories)) ?? {};
    const reader = new CniReader(`the versions of CNI plugin "${plugin}"`);
    return reader.list(answer["supportedVersions"], "supportedVersions", 64, (one, at) => reader.string(one, at));
  } catch (error) {
    if (isSampanError(error, "not-found") || !isSampanError(error)) throw error;
    throw failedPrecondition(error.message, { ...error.fields, cause: error });
  }
}
