/** Pulls that are going on, each with what has come of its layers. */
import { createHash } from "node:crypto";
import type { Engine } from "#engine";
import type { PullProgress } from "#images";
import type { Credentials } from "#remotes";

export interface PullDescription {
  /** Canonical name. */
  readonly image: string;
  /** RFC 3339. */
  readonly startedAt: string;
  /** Compressed bytes that are here, and of all layers that are known of. */
  readonly current: number;
  readonly total: number;
  readonly layers: readonly PullProgress[];
}

class Pull {
  readonly image: string;
  readonly done: Promise<string>;
  readonly #startedAt = new Date();
  readonly #layers = new Map<string, PullProgress>();
  readonly #abort = new AbortController();
  #waiting = 0;

  constructor(engine: Engine, image: string, credentials: Credentials | undefined) {
    this.image = image;
    const onProgress = (progress: PullProgress): void => void this.#layers.set(progress.digest, progress);
    this.done = engine
      .pull(image, {
        onProgress,
        signal: this.#abort.signal,
        ...(credentials && { credentials: () => credentials }),
      })
      .then(({ id }) => id);
    // Whoever waited may have left.
    this.done.catch(() => undefined);
  }

  /** Resolves with the image's id; the pull ends when nobody waits for it any more. */
  async wait(signal: AbortSignal): Promise<string> {
    this.#waiting += 1;
    const left = Promise.withResolvers<never>();
    const leave = (): void => left.reject(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    if (signal.aborted) leave();
    try {
      return await Promise.race([this.done, left.promise]);
    } finally {
      signal.removeEventListener("abort", leave);
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#abort.abort();
    }
  }

  /** Whether it was given up, so that it is nobody's to join. */
  get isAbandoned(): boolean {
    return this.#abort.signal.aborted;
  }

  describe(): PullDescription {
    const layers = [...this.#layers.values()];
    const sum = (of: "current" | "total"): number => layers.reduce((all, layer) => all + layer[of], 0);
    return {
      image: this.image,
      startedAt: this.#startedAt.toISOString(),
      current: sum("current"),
      total: sum("total"),
      layers,
    };
  }
}

export class Pulls {
  readonly #engine: Engine;
  readonly #running = new Map<string, Pull>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Pulls an image. Who asks for one that is being pulled with the same credentials waits for that: with others the registry has
   * to say itself whether they may have it.
   *
   * @param image canonical name
   * @returns the image's id
   * @throws SampanError what `Engine.pull` throws; the signal's reason when that is aborted
   */
  async pull(image: string, credentials: Credentials | undefined, signal: AbortSignal): Promise<string> {
    const key = createHash("sha256")
      .update(JSON.stringify([image, credentials ?? null]))
      .digest("hex");
    let pull = this.#running.get(key);
    if (pull === undefined || pull.isAbandoned) {
      const started = new Pull(this.#engine, image, credentials);
      pull = started;
      this.#running.set(key, started);
      const ended = (): void => {
        if (this.#running.get(key) === started) this.#running.delete(key);
      };
      started.done.then(ended, ended);
    }
    return await pull.wait(signal);
  }

  /** @param image canonical name of the one that is asked for; all without it */
  describe(image?: string): readonly PullDescription[] {
    return [...this.#running.values()]
      .filter((pull) => !pull.isAbandoned && (image === undefined || pull.image === image))
      .map((pull) => pull.describe());
  }
}
