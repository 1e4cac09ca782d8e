/**
 * Pods of the CRI: the engine's pods with what the CRI asked for when they were made. That is kept in the engine's record of the
 * pod, so that both come and go in one step, and nothing is lost with the daemon.
 */
import { fromJson, toJson, type JsonValue } from "@bufbuild/protobuf";
import { invalidArgument, isSampanError, notFound } from "#errdefs";
import type { Engine, PodRecord } from "#engine";
import { PodSandboxConfigSchema, type PodSandboxConfig } from "../gen/runtime/v1/pods_pb.ts";

/** Key of the engine's `extensions` of pods and containers. */
export const extensionName = "cri";

export interface CriPod {
  readonly id: string;
  readonly record: PodRecord;
  readonly config: PodSandboxConfig;
  /** Name of the handler as it was asked for; empty for the default one. */
  readonly handler: string;
}

interface Kept {
  readonly config: JsonValue;
  readonly handler: string;
}

export class PodBook {
  readonly #engine: Engine;
  /** What is kept of each pod never changes unless its text does; reading it is what costs in a list. */
  readonly #read = new Map<
    string,
    { readonly text: string; readonly config: PodSandboxConfig; readonly handler: string }
  >();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** What the engine is to keep. */
  static write(config: PodSandboxConfig, handler: string): string {
    const kept: Kept = { config: toJson(PodSandboxConfigSchema, config), handler };
    return JSON.stringify(kept);
  }

  /** Newest first. */
  list(): readonly CriPod[] {
    const records = this.#engine.pods.records();
    const pods = records.flatMap((record) => this.#pod(record) ?? []);
    if (this.#read.size > pods.length) {
      const ids = new Set(pods.map(({ id }) => id));
      for (const id of this.#read.keys()) if (!ids.has(id)) this.#read.delete(id);
    }
    return pods;
  }

  /**
   * By its id, or a beginning of that which only it has.
   *
   * @throws SampanError `not-found`, also for a pod that the CRI did not make; `invalid-argument` for an empty id
   */
  get(id: string): CriPod {
    const pod = this.find(id);
    if (pod === undefined) throw notFound(`Cannot find pod sandbox "${id}": there is none with this id`);
    return pod;
  }

  /** As {@link get}; undefined when there is none. */
  find(id: string): CriPod | undefined {
    if (id === "") throw invalidArgument("Cannot find a pod sandbox: pod_sandbox_id is empty");
    if (!/^[0-9a-f]{1,64}$/.test(id)) return undefined;
    try {
      const record = this.#engine.pods.record(id);
      return record.id.startsWith(id) ? this.#pod(record) : undefined;
    } catch (error) {
      if (isSampanError(error, "not-found")) return undefined;
      throw error;
    }
  }

  #pod(record: PodRecord): CriPod | undefined {
    const { id, options } = record;
    const text = options.extensions?.[extensionName];
    if (text === undefined) return undefined;
    let read = this.#read.get(id);
    if (read?.text !== text) {
      const { config, handler } = JSON.parse(text) as Kept;
      read = { text, config: fromJson(PodSandboxConfigSchema, config, { ignoreUnknownFields: true }), handler };
      this.#read.set(id, read);
    }
    return { id, record, config: read.config, handler: read.handler };
  }
}
