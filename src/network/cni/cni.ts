/** CNI networks: which there are, and containers on them. */
import { failedPrecondition } from "#errdefs";
import type { Operation } from "#plan";
import type { CniAttachment, CniAttachments, CniSummary } from "./attachment.ts";
import { untaken, type CniWishes } from "./capabilities.ts";
import { CniChain, type ChainOptions } from "./chain.ts";
import type { CniList } from "./configuration.ts";
import { CniDirectory, type CniFile } from "./directory.ts";
import type { JsonObject } from "./reader.ts";
import { addressesOf, readResult, type CniResult } from "./result.ts";

export interface CniOptions extends ChainOptions {
  /** Directory of configurations. */
  readonly configurations: string;
  readonly attachments: CniAttachments;
  /** Whether a container has its network, or is about to get it. */
  readonly isAlive: (attachment: CniAttachment) => boolean;
  /** This process, for who comes after it. */
  readonly maker: string;
}

/** One network that a container is to be on. */
export interface CniRequest {
  /** The first of the directory when missing. */
  readonly network?: string;
  /** Name of the interface in the container. */
  readonly interface: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly wishes: CniWishes;
  /** Wishes that are to be fulfilled: without a plugin for them nothing is made. */
  readonly required: readonly (keyof CniWishes)[];
}

/** A container on a network. */
export interface CniPlace {
  readonly network: string;
  readonly interface: string;
  readonly namespace: string;
  readonly result: CniResult;
}

const statusTimeout = 10_000;
/** Of one plugin at a container's end, which is not told before. */
const exitTimeout = 20_000;
const argPattern = /^[^;=\0\n]+$/;
const valuePattern = /^[^;\0\n]*$/;

/** @throws SampanError `failed-precondition` for what the form has no place for */
function argsText(args: Readonly<Record<string, string>>): string {
  return Object.entries(args)
    .map(([name, value]) => {
      if (!argPattern.test(name) || !valuePattern.test(value))
        throw failedPrecondition(
          `Cannot give plugins the argument "${name}=${value}": it may not have ";" or a line feed`,
        );
      return `${name}=${value}`;
    })
    .join(";");
}

export class Cni {
  readonly #options: CniOptions;
  readonly #directory: CniDirectory;
  readonly #chain: CniChain;

  constructor(options: CniOptions) {
    this.#options = options;
    this.#directory = new CniDirectory(options.configurations);
    this.#chain = new CniChain(options);
  }

  /** Networks of valid files, in the order of these. */
  networks(): readonly CniList[] {
    return this.#directory.lists();
  }

  /** All files, also those that can't be read. */
  files(): readonly CniFile[] {
    return this.#directory.files();
  }

  /** @throws SampanError `not-found`, or what is wrong with the file */
  find(name?: string): CniList {
    return this.#directory.find(name);
  }

  /**
   * Puts a container on networks. Nothing is left of it after a failure, as far as plugins take it back; what they do not
   * is tried again by {@link Cni.recover}.
   *
   * @param namespace file of its network namespace
   */
  async attach(container: string, namespace: string, requests: readonly CniRequest[]): Promise<readonly CniPlace[]> {
    await this.recover(container);
    const wanted = requests.map((request) => ({ request, list: this.find(request.network) }));
    for (const { request, list } of wanted) checkWishes(list, request);
    const places: CniPlace[] = [];
    try {
      for (const { request, list } of wanted)
        places.push(...(await this.#attach(container, namespace, request, await this.#ready(list, container))));
    } catch (error) {
      await this.detach(container).catch(() => undefined);
      throw error;
    }
    return places;
  }

  /** Programs that are not there are told of before anybody is called. */
  async #ready(list: CniList, container: string): Promise<CniList> {
    this.#chain.locate(list, container);
    return await this.#chain.negotiate(list);
  }

  async #attach(
    container: string,
    namespace: string,
    request: CniRequest,
    list: CniList,
  ): Promise<readonly CniPlace[]> {
    const { attachments } = this.#options;
    const attachment: CniAttachment = {
      container,
      interface: request.interface,
      list,
      namespace,
      args: argsText(request.args ?? {}),
      wishes: request.wishes,
      maker: this.#options.maker,
      createdAt: Date.now(),
    };
    // Before the first plugin is called: whatever happens then, somebody knows of it.
    attachments.save(attachment);
    let isLeft = false;
    try {
      const result = await this.#chain.add(
        attachment,
        (partial) => attachments.save({ ...attachment, partial }),
        () => (isLeft = true),
      );
      const done = { ...attachment, result, summary: summaryOf(attachment, result) };
      attachments.save(done);
      return placeOf(done);
    } catch (error) {
      if (!isLeft) attachments.delete(container, request.interface);
      throw error;
    }
  }

  /**
   * Takes a container from its networks. Idempotent.
   *
   * @throws SampanError when a plugin fails; it can be tried again
   */
  async detach(container: string): Promise<void> {
    const { attachments } = this.#options;
    let failure: unknown;
    for (const attachment of attachments.of(container).toReversed())
      try {
        await this.#chain.remove(attachment);
        attachments.delete(container, attachment.interface);
      } catch (error) {
        failure ??= error;
      }
    if (failure !== undefined) throw failure as Error;
  }

  /** What {@link Cni.detach} does of a container, for its monitor to do at its end. */
  exitOperations(container: string): Operation[] {
    return this.#options.attachments
      .of(container)
      .toReversed()
      .flatMap((attachment) => this.#chain.removal(attachment, exitTimeout));
  }

  /** Forgets a container for which {@link Cni.exitOperations} were done. */
  forget(container: string): void {
    const { attachments } = this.#options;
    for (const attachment of attachments.of(container)) attachments.delete(container, attachment.interface);
  }

  /** Whether all of a container's networks are as they were made. @throws SampanError what is not */
  async check(container: string): Promise<void> {
    for (const attachment of this.#options.attachments.of(container)) await this.#chain.check(attachment);
  }

  /**
   * Whether containers can be put on a network, the first one without a name.
   *
   * @throws SampanError why not
   */
  async status(name?: string): Promise<CniList> {
    const list = await this.#chain.negotiate(this.find(name));
    await this.#chain.status(list, statusTimeout);
    return list;
  }

  /**
   * Takes containers that are gone from their networks: after a crash, or a reboot.
   *
   * @param only one that is about to start, and has nothing to keep
   */
  async recover(only?: string): Promise<void> {
    const { attachments, isAlive } = this.#options;
    if (only !== undefined) return attachments.of(only).length === 0 ? undefined : await this.detach(only);
    const gone = attachments.all().filter((attachment) => !isAlive(attachment));
    let failure: unknown;
    for (const container of new Set(gone.map((attachment) => attachment.container)))
      await this.detach(container).catch((error: unknown) => (failure ??= error));
    if (failure !== undefined) throw failure as Error;
  }

  /** {@link Cni.recover}, and has plugins look for what else is left (GC). @throws SampanError the first failure */
  async collect(): Promise<void> {
    let failure: unknown;
    await this.recover().catch((error: unknown) => (failure ??= error));
    const all = this.#options.attachments.all();
    for (const list of this.networks()) {
      const valid = all.filter((one) => one.list.name === list.name);
      const collected = this.#chain.negotiate(list).then(async (chosen) => this.#chain.collect(chosen, valid));
      await collected.catch((error: unknown) => (failure ??= error));
    }
    if (failure !== undefined) throw failure as Error;
  }
}

function summaryOf({ list, interface: name }: CniAttachment, answer: JsonObject): CniSummary {
  const { result } = readResult(answer, `the result of CNI network "${list.name}"`);
  const own = result.interfaces.find((one) => one.name === name && one.sandbox !== undefined);
  return {
    addresses: addressesOf(result, name),
    gateways: [...new Set(result.ips.flatMap(({ gateway }) => gateway ?? []))],
    mac: own?.mac ?? "",
  };
}

function placeOf({ list, interface: name, namespace, result }: CniAttachment): readonly CniPlace[] {
  if (result === undefined) return [];
  const read = readResult(result, `the result that is kept of CNI network "${list.name}"`);
  return [{ network: list.name, interface: name, namespace, result: read.result }];
}

const wishWords: Readonly<Record<keyof CniWishes, string>> = {
  portMappings: "publish ports",
  bandwidth: "limit the bandwidth",
  ipRanges: "choose ranges of addresses",
  dns: "set name servers",
  ips: "choose an address",
  mac: "choose a MAC address",
  aliases: "have aliases",
  cgroupPath: "know the cgroup",
};

function checkWishes(list: CniList, { required }: CniRequest): void {
  const [first] = untaken(list.plugins, required);
  if (first === undefined) return;
  throw failedPrecondition(
    `Cannot ${wishWords[first as keyof CniWishes]} on CNI network "${list.name}": no plugin of it has the capability "${first}"`,
    { path: list.path, remedy: "Add one to its configuration, or leave the option out" },
  );
}
