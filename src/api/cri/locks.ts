/**
 * Who works on a pod. What makes, stops and removes one is alone with it; what works on its containers is there with others, and
 * not while the pod goes.
 */
interface Queue {
  /** The last that was alone. */
  alone: Promise<unknown>;
  /** Those that came after it. */
  readonly shared: Set<Promise<unknown>>;
  users: number;
}

export class Locks {
  readonly #queues = new Map<string, Queue>();

  async alone<T>(id: string, work: () => Promise<T>): Promise<T> {
    return await this.#enter(id, async (queue) => {
      const before = [queue.alone, ...queue.shared];
      queue.shared.clear();
      const own = Promise.allSettled(before).then(work);
      queue.alone = own.catch(() => undefined);
      return await own;
    });
  }

  async shared<T>(id: string, work: () => Promise<T>): Promise<T> {
    return await this.#enter(id, async (queue) => {
      const own = queue.alone.then(work);
      const ended = own.then(
        () => undefined,
        () => undefined,
      );
      queue.shared.add(ended);
      try {
        return await own;
      } finally {
        queue.shared.delete(ended);
      }
    });
  }

  async #enter<T>(id: string, run: (queue: Queue) => Promise<T>): Promise<T> {
    const queue = this.#queues.get(id) ?? { alone: Promise.resolve(), shared: new Set(), users: 0 };
    this.#queues.set(id, queue);
    queue.users += 1;
    try {
      return await run(queue);
    } finally {
      queue.users -= 1;
      if (queue.users === 0) this.#queues.delete(id);
    }
  }
}
