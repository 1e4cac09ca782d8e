/** One task after another on each container: what a client asks for twice at once is not refused for that. */
export class TaskQueue {
  readonly #last = new Map<string, Promise<unknown>>();

  async run<T>(id: string, task: () => Promise<T>): Promise<T> {
    const before = this.#last.get(id) ?? Promise.resolve();
    const own = before.then(task, task);
    const settled = own.catch(() => undefined);
    this.#last.set(id, settled);
    try {
      return await own;
    } finally {
      if (this.#last.get(id) === settled) this.#last.delete(id);
    }
  }
}
