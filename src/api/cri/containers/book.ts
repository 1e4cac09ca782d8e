/** Containers of the CRI: the engine's containers with what the CRI asked for when they were made; see the pods' book. */
import { fromJson, toJson, type JsonValue } from "@bufbuild/protobuf";
import { invalidArgument, isSampanError, notFound } from "#errdefs";
import type { Container, Engine } from "#engine";
import { ContainerConfigSchema, type ContainerConfig } from "../gen/runtime/v1/containers_pb.ts";
import { extensionName } from "../pods/book.ts";

/** How a start failed: the CRI does not start a container twice, and has it end by that. */
export interface StartFailure {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly exitCode: number;
  /** In one word. */
  readonly reason: string;
  readonly message: string;
}

export interface CriContainer {
  readonly id: string;
  readonly podId: string;
  readonly container: Container;
  readonly config: ContainerConfig;
  /** A digest by which the image can be had again, where it has one; its id otherwise. */
  readonly imageRef: string;
  readonly failure: StartFailure | undefined;
}

type Told = Pick<CriContainer, "config" | "imageRef" | "failure">;

interface Kept {
  readonly config: JsonValue;
  readonly imageRef?: string;
  readonly failure?: StartFailure;
}

export class ContainerBook {
  readonly #engine: Engine;
  readonly #read = new Map<string, Told & { readonly text: string }>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** What the engine is to keep. */
  static write({ config, imageRef, failure }: Told): string {
    const kept: Kept = { config: toJson(ContainerConfigSchema, config), imageRef, ...(failure && { failure }) };
    return JSON.stringify(kept);
  }

  /** Newest first. */
  list(): readonly CriContainer[] {
    const containers = this.#engine.containers().flatMap((container) => this.#container(container) ?? []);
    if (this.#read.size > containers.length) {
      const ids = new Set(containers.map(({ id }) => id));
      for (const id of this.#read.keys()) if (!ids.has(id)) this.#read.delete(id);
    }
    return containers;
  }

  /** Those of one pod, newest first. */
  ofPod(podId: string): readonly CriContainer[] {
    return this.#engine.containers(podId).flatMap((container) => this.#container(container) ?? []);
  }

  /**
   * By its id, or a beginning of that which only it has.
   *
   * @throws SampanError `not-found`, also for a container that the CRI did not make; `invalid-argument` for an empty id
   */
  get(id: string): CriContainer {
    const container = this.find(id);
    if (container === undefined)
      throw notFound(`Cannot find container_id ${JSON.stringify(id.slice(0, 100))}: there is none with this id`);
    return container;
  }

  /** As {@link get}; undefined when there is none. */
  find(id: string): CriContainer | undefined {
    if (id === "") throw invalidArgument("Cannot find a container: container_id is empty");
    if (!/^[0-9a-f]{1,64}$/.test(id)) return undefined;
    try {
      const container = this.#engine.get(id);
      return container.id.startsWith(id) ? this.#container(container) : undefined;
    } catch (error) {
      if (isSampanError(error, "not-found")) return undefined;
      throw error;
    }
  }

  #container(container: Container): CriContainer | undefined {
    const { id, options, resolved, imageId } = container.record;
    const text = options.extensions?.[extensionName];
    if (text === undefined || resolved.pod === undefined) return undefined;
    let read = this.#read.get(id);
    if (read?.text !== text) {
      const { config, imageRef = imageId, failure } = JSON.parse(text) as Kept;
      const message = fromJson(ContainerConfigSchema, config, { ignoreUnknownFields: true });
      read = { text, config: message, imageRef, failure };
      this.#read.set(id, read);
    }
    const { config, imageRef, failure } = read;
    return { id, podId: resolved.pod.id, container, config, imageRef, failure };
  }
}
