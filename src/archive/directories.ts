/** Which directories of a layer have entries in them, or hide something, without being described by an entry. */
import { resourceExhausted } from "#errdefs";
import { parentOf } from "./path.ts";

export class Directories {
  readonly #described = new Set<string>();
  readonly #implied = new Set<string>(["."]);
  readonly #limit: number;
  #characters = 0;
  #last = ".";

  /** `limit` is on the characters of all paths together. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The layer has an entry for the directory. */
  describe(path: string): void {
    this.contain(path);
    if (this.#described.has(path)) return;
    if (!this.#implied.delete(path)) this.#count(path);
    this.#described.add(path);
  }

  /** The layer has something at `path`, and so it has the directories above. */
  contain(path: string): void {
    if (path === ".") return;
    let parent = parentOf(path);
    if (parent === this.#last) return;
    this.#last = parent;
    this.imply(parent);
    while (parent !== ".") {
      parent = parentOf(parent);
      if (!this.imply(parent)) return;
    }
  }

  /** The layer has this directory. False when that was known. */
  imply(path: string): boolean {
    if (this.#described.has(path) || this.#implied.has(path)) return false;
    this.#count(path);
    this.#implied.add(path);
    return true;
  }

  /** Parents before children. */
  get implied(): string[] {
    return [...this.#implied].sort((a, b) => (a === "." ? -1 : b === "." ? 1 : a < b ? -1 : 1));
  }

  #count(path: string): void {
    this.#characters += path.length;
    if (this.#characters > this.#limit)
      throw resourceExhausted(
        `Cannot unpack the layer: the paths of its directories have more than ${this.#limit} characters`,
      );
  }
}
