/** Which directories of a layer have entries in them, or hide something, without being described by an entry. */
import { resourceExhausted } from "#errdefs";
import { parentOf } from "./path.ts";

export class Directories {
  readonly #described = new Set<string>();
  readonly #implied = new Set<string>(["."]);
  readonly #hidden = new Set<string>();
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

  /** The layer hides what lower layers have at `path`, and so nothing below it is theirs. */
  hide(path: string): void {
    this.contain(path);
    if (!this.#hidden.has(path)) this.#count(path);
    this.#hidden.add(path);
  }

  /** Those which a lower layer may describe, parents before children. */
  get implied(): string[] {
    const visible = [...this.#implied].filter((path) => !this.#isHidden(path));
    return visible.sort((a, b) => (a === "." ? -1 : b === "." ? 1 : a < b ? -1 : 1));
  }

  #isHidden(path: string): boolean {
    if (this.#hidden.size === 0) return false;
    for (let at = path; at !== "."; at = parentOf(at)) if (this.#hidden.has(at)) return true;
    return false;
  }

  #count(path: string): void {
    this.#characters += path.length;
    if (this.#characters > this.#limit)
      throw resourceExhausted(
        `Cannot unpack the layer: the paths of its directories have more than ${this.#limit} characters`,
      );
  }
}
