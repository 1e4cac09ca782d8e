/**
 * A layer is removed while another process may be about to put a snapshot on top of it. Each writes down what it wants
 * before it looks whether the other one does, so that at least one of them sees the other, and steps back:
 *
 *     who removes    marks the layer, then looks for what is on top of it   something: takes the mark away, and refuses
 *     who stands     makes the snapshot, then looks for the mark            marked: takes the snapshot away, and fails
 *
 * Nothing of a layer is touched before that is settled, and the mark of a process that has ended counts no more.
 */
import { lstatSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { isAbandoned, ownedName } from "./temporary.ts";

const markIn = (layer: string): string => join(layer, "removing");

export class Removal implements Disposable {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Marks a layer's directory. Undefined when somebody else removes it, or has. */
  static begin(layer: string): Removal | undefined {
    const path = markIn(layer);
    for (;;) {
      try {
        symlinkSync(ownedName(), path);
        return new Removal(path);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === "ENOENT") return undefined;
        if (code !== "EEXIST") throw error;
      }
      if (isMarked(layer)) return undefined;
      rmSync(path, { force: true });
    }
  }

  /** Takes the mark away, unless the layer has gone with it. */
  [Symbol.dispose](): void {
    rmSync(this.#path, { force: true });
  }
}

/** Whether a layer is there, and nobody removes it. */
export function mayStandOn(layer: string): boolean {
  return lstatSync(layer, { throwIfNoEntry: false }) !== undefined && !isMarked(layer);
}

function isMarked(layer: string): boolean {
  try {
    return !isAbandoned(readlinkSync(markIn(layer)));
  } catch {
    return false;
  }
}
