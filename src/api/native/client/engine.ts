/**
 * The client of a daemon: the same interface as the embedded engine's.
 *
 * ```ts
 * import { connect } from "sampan/client";
 *
 * await using engine = await connect();
 * await using container = await engine.run("localhost/node", ["-p", "6*7"], { memory: "256MiB" });
 * for await (const entry of container.logs({ follow: true })) console.log(Buffer.from(entry.text).toString());
 * ```
 */
import { readFileSync } from "node:fs";
import { internal, isSampanError, notFound } from "#errdefs";
import type {
  ContainerEngine,
  ContainerFilters,
  ContainerHandle,
  ContainerOptions,
  ContainerSummary,
  EngineEvent,
  EventFilters,
  EventOptions,
  ImageHistory,
  ImageReference,
  ImageSummary,
  LoadedImage,
  PullProgress,
  PushedImage,
  RemovedImage,
  RemoveOptions,
  TransferOptions,
} from "#engine";
import { toMessage, toPlain } from "../codec/plain.ts";
import { HistoryEntrySchema, ImageSummarySchema } from "../gen/sampan/v1/images_pb.ts";
import type { WatchEventsResponse } from "../gen/sampan/v1/events_pb.ts";
import type { TransferProgress } from "../gen/sampan/v1/image_types_pb.ts";
import { ContainerOptionsSchema } from "../gen/sampan/v1/options_pb.ts";
import { DaemonConnection, type TlsFiles } from "./connection.ts";
import { callOptions, plainSummary, RemoteContainer } from "./container.ts";
import { ownCredentials } from "./credentials.ts";
import { parseHost } from "./host.ts";

export interface ConnectOptions {
  /** `unix:///run/sampan/sampan.sock` by default, or `tcp://HOST:PORT`; `SAMPAN_HOST` stands in for the default. */
  readonly host?: string;
  /** For `tcp://`: who the daemon must be, and who this client is. */
  readonly tls?: TlsFiles;
  /** Whose images, containers, volumes and networks; `default` by default. */
  readonly namespace?: string;
}

const defaultHost = "unix:///run/sampan/sampan.sock";

/**
 * Connects to a daemon.
 *
 * @throws SampanError `unavailable` when none answers, `permission-denied`, `invalid-argument`
 */
export async function connect(options: ConnectOptions = {}): Promise<EngineClient> {
  const host = parseHost(options.host ?? (process.env["SAMPAN_HOST"] || defaultHost));
  return new EngineClient(await DaemonConnection.open(host, { tls: options.tls, namespace: options.namespace }));
}

export class EngineClient implements ContainerEngine {
  readonly #daemon: DaemonConnection;

  /** Use {@link connect}. */
  constructor(daemon: DaemonConnection) {
    this.#daemon = daemon;
  }

  async create(options: ContainerOptions, pull: TransferOptions = {}): Promise<ContainerHandle> {
    const { pull: when = "missing", image, platform } = options;
    const fetch = async (): Promise<void> =>
      void (await this.pull(image, platform === undefined ? pull : { ...pull, platform }));
    if (when === "always") await fetch();
    try {
      return await this.#create(options, pull.signal);
    } catch (error) {
      // The image is fetched by a call of its own, which tells how that goes on.
      if (when !== "missing" || !isSampanError(error, "not-found")) throw error;
    }
    await fetch();
    return this.#create(options, pull.signal);
  }

  async #create(options: ContainerOptions, signal: AbortSignal | undefined): Promise<ContainerHandle> {
    const { secrets, ...others } = options;
    const message = toMessage(ContainerOptionsSchema, {
      ...others,
      env: variables(options.env),
      pull: "never",
      secrets: secrets?.map(({ source, ...secret }) => ({ ...secret, data: secretData(source) })),
    });
    const { container } = await this.#daemon.containers.create({ options: message }, callOptions(signal));
    return new RemoteContainer(this.#daemon, plainSummary(container), options);
  }

  async run(
    image: string,
    command: readonly string[] = [],
    options: Omit<ContainerOptions, "image" | "command"> = {},
  ): Promise<ContainerHandle> {
    const container = await this.create({ ...options, image, ...(command.length === 0 ? {} : { command }) });
    try {
      await container.start();
      return container;
    } catch (error) {
      await container.removeIfThere({ force: true, volumes: true });
      throw error;
    }
  }

  async get(nameOrId: string): Promise<ContainerHandle> {
    const { container, options } = await this.#daemon.containers.get({ container: nameOrId });
    if (options === undefined)
      throw internal(`Cannot find container "${nameOrId}": the daemon does not say what it is`);
    const plain = toPlain(ContainerOptionsSchema, options) as unknown as ContainerOptions;
    return new RemoteContainer(this.#daemon, plainSummary(container), plain);
  }

  async list(filters: ContainerFilters = {}): Promise<readonly ContainerSummary[]> {
    const { containers } = await this.#daemon.containers.list({ filters: filterMessages(filters) });
    return containers.map(plainSummary);
  }

  async containerSize(nameOrId: string): Promise<{ readonly written: number; readonly total: number }> {
    const { written, total } = await this.#daemon.containers.size({ container: nameOrId });
    return { written, total };
  }

  events({
    since = Date.now(),
    until,
    filters = {},
    signal,
  }: EventOptions & { readonly filters?: EventFilters } = {}): AsyncGenerator<EngineEvent, void, void> {
    const request = { since, filters: filterMessages(filters), ...(until !== undefined && { until }) };
    return plainEvents(this.#daemon.events.watch(request, callOptions(signal)), signal);
  }

  async remove(nameOrId: string, { force = false, volumes = false }: RemoveOptions = {}): Promise<void> {
    await this.#daemon.containers.remove({ container: nameOrId, force, volumes });
  }

  async pull(reference: string, options: TransferOptions = {}): Promise<ImageReference> {
    const { allPlatforms = false } = options;
    const request = { reference, allPlatforms, ...platformOf(options), ...(await ownCredentials(reference)) };
    for await (const { message } of this.#daemon.images.pull(request, callOptions(options.signal))) {
      if (message.case === "progress") options.onProgress?.(progressOf(message.value));
      else if (message.case === "image") return message.value;
    }
    throw unfinished("pull", reference);
  }

  async push(reference: string, options: TransferOptions = {}): Promise<PushedImage> {
    const { allPlatforms = false, referrers = false } = options;
    const own = await ownCredentials(reference);
    const request = { reference, allPlatforms, referrers, ...platformOf(options), ...own };
    for await (const { message } of this.#daemon.images.push(request, callOptions(options.signal))) {
      if (message.case === "progress") options.onProgress?.(progressOf(message.value));
      else if (message.case === "image") return message.value as unknown as PushedImage;
    }
    throw unfinished("push", reference);
  }

  async images(filters: readonly string[] = []): Promise<readonly ImageSummary[]> {
    const { images } = await this.#daemon.images.list({ filters: [...filters] });
    return images.map((image) => toPlain(ImageSummarySchema, image) as unknown as ImageSummary);
  }

  async inspectImage(nameOrId: string, platform?: string): Promise<object> {
    return (await this.#daemon.images.inspect({ image: nameOrId, ...platformOf({ platform }) })).details ?? {};
  }

  async imageHistory(nameOrId: string): Promise<readonly ImageHistory[]> {
    const { entries } = await this.#daemon.images.history({ image: nameOrId });
    return entries.map((entry) => toPlain(HistoryEntrySchema, entry) as unknown as ImageHistory);
  }

  async tagImage(nameOrId: string, name: string): Promise<void> {
    await this.#daemon.images.tag({ image: nameOrId, name });
  }

  async removeImage(nameOrId: string, { force = false }: { readonly force?: boolean } = {}): Promise<RemovedImage> {
    const { untagged, deleted } = await this.#daemon.images.remove({ image: nameOrId, force });
    return { untagged, deleted: deleted as unknown as RemovedImage["deleted"] };
  }

  async saveImages(
    names: readonly string[],
    sink: (data: Uint8Array) => Promise<void>,
    options: TransferOptions = {},
  ): Promise<void> {
    const request = { images: [...names], ...platformOf(options) };
    for await (const { message } of this.#daemon.images.save(request, callOptions(options.signal))) {
      if (message.case === "progress") options.onProgress?.(progressOf(message.value));
      else if (message.case === "data") await sink(message.value);
    }
  }

  async loadImages(stream: AsyncIterable<Uint8Array>, options: TransferOptions = {}): Promise<readonly LoadedImage[]> {
    const requests = loadRequests(stream, platformOf(options));
    for await (const { message } of this.#daemon.images.load(requests, callOptions(options.signal))) {
      if (message.case === "progress") options.onProgress?.(progressOf(message.value));
      else if (message.case === "images") return message.value.images as unknown as readonly LoadedImage[];
    }
    throw unfinished("load", "images");
  }

  /** Version of the daemon and of its interface. */
  async version(): Promise<{ readonly version: string; readonly api: string; readonly node: string }> {
    const { version, api, node } = await this.#daemon.system.version({});
    return { version, api, node };
  }

  /** Ends the connection. Containers run on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#daemon[Symbol.dispose]();
    await Promise.resolve();
  }
}

async function* plainEvents(
  responses: AsyncIterable<WatchEventsResponse>,
  signal: AbortSignal | undefined,
): AsyncGenerator<EngineEvent, void, void> {
  try {
    for await (const { type, action, id, attributes, time } of responses)
      yield { type: type as EngineEvent["type"], action, id, attributes, time };
  } catch (error) {
    // Who follows events no more has all that were wanted.
    if (signal?.aborted !== true) throw error;
  }
}

function filterMessages(filters: ContainerFilters) {
  return Object.fromEntries(Object.entries(filters).map(([key, values]) => [key, { values: [...values] }]));
}

/** Most bytes of an archive in one message. */
const maxChunk = 256 * 1024;

async function* loadRequests(stream: AsyncIterable<Uint8Array>, open: { readonly platform?: string }) {
  yield { message: { case: "open" as const, value: open } };
  for await (const data of stream)
    for (let at = 0; at < data.length; at += maxChunk)
      yield { message: { case: "data" as const, value: data.subarray(at, at + maxChunk) } };
}

/** The daemon reads no file and no variable for a client. */
function secretData(source: NonNullable<ContainerOptions["secrets"]>[number]["source"]): Uint8Array {
  if ("file" in source) return readFileSync(source.file);
  if ("env" in source) {
    const value = process.env[source.env];
    if (value === undefined) throw notFound(`Cannot use variable "${source.env}" as a secret: it is not set`);
    return Buffer.from(value);
  }
  return typeof source.data === "string" ? Buffer.from(source.data) : source.data;
}

function variables(env: ContainerOptions["env"]): readonly string[] | undefined {
  if (env === undefined || Array.isArray(env)) return env as readonly string[] | undefined;
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}

function platformOf({ platform }: TransferOptions): { readonly platform?: string } {
  return platform === undefined ? {} : { platform };
}

function progressOf({ digest, status, current, total }: TransferProgress): PullProgress {
  return { digest, status, current, total } as PullProgress;
}

function unfinished(action: string, what: string): Error {
  return internal(`Cannot ${action} "${what}": the daemon ended the call without a result`);
}
