/** Two walks of trees side by side: what is in one and not in the other, or is another. Nothing of either is kept. */
import { encodeName } from "#archive";
import type { FoundFile, TreeEvent } from "#keel";
import { isDirectory } from "./overlay-marks.ts";

export interface Compared {
  /** Undefined for what is the same in both. */
  readonly kind: "A" | "C" | "D" | undefined;
  readonly path: string;
  /** Of the first tree; of the second for what is deleted. */
  readonly file: FoundFile;
  /** The content of a file of the first tree, where its walk has it: to be read, or left, before the next one. */
  readonly content: AsyncIterable<TreeEvent>;
}

/** Walks give a directory before what is in it, and names in the order of their bytes. */
function order(a: string, b: string): number {
  const one = a.split("/");
  const other = b.split("/");
  for (let i = 0; ; i += 1) {
    const x = one[i];
    const y = other[i];
    if (x === undefined || y === undefined) return x === y ? 0 : x === undefined ? -1 : 1;
    if (x !== y) return Buffer.compare(encodeName(x), encodeName(y));
  }
}

/** One file at a time of a walk, with its content behind it. */
class Files {
  readonly #events: AsyncIterator<TreeEvent>;
  #next: TreeEvent | undefined;

  constructor(events: AsyncIterable<TreeEvent>) {
    this.#events = events[Symbol.asyncIterator]();
  }

  async file(): Promise<FoundFile | undefined> {
    for (;;) {
      const event = this.#next ?? (await this.#read());
      this.#next = undefined;
      if (event === undefined) return undefined;
      // The roots are what is compared, and no part of it.
      if (event.kind === "file" && event.file.path !== ".") return event.file;
    }
  }

  async *content(): AsyncGenerator<TreeEvent> {
    for (;;) {
      const event = await this.#read();
      if (event === undefined) return;
      if (event.kind === "file") {
        this.#next = event;
        return;
      }
      yield event;
    }
  }

  async #read(): Promise<TreeEvent | undefined> {
    const { done, value } = await this.#events.next();
    return done === true ? undefined : value;
  }

  async close(): Promise<void> {
    await this.#events.return?.();
  }
}

/** @param first what is; @param second what was before */
export async function* compareTrees(
  first: AsyncIterable<TreeEvent>,
  second: AsyncIterable<TreeEvent>,
): AsyncGenerator<Compared, void, void> {
  const now = new Files(first);
  const before = new Files(second);
  try {
    let file = await now.file();
    let old = await before.file();
    /** What is below has gone with it. */
    let gone: string | undefined;
    while (file !== undefined || old !== undefined) {
      const way = file === undefined ? 1 : old === undefined ? -1 : order(file.path, old.path);
      if (way > 0 && old !== undefined) {
        if (gone === undefined || !old.path.startsWith(gone))
          yield { kind: "D", path: old.path, file: old, content: now.content() };
        if (gone === undefined || !old.path.startsWith(gone)) gone = `${old.path}/`;
        old = await before.file();
        continue;
      }
      if (file === undefined) break;
      const same = way === 0 ? old : undefined;
      yield { kind: changeOf(file, same), path: file.path, file, content: now.content() };
      // A file in a directory's place has taken all below it away.
      if (same !== undefined && isDirectory(same) && !isDirectory(file)) gone = `${same.path}/`;
      if (same !== undefined) old = await before.file();
      file = await now.file();
    }
  } finally {
    await now.close();
    await before.close();
  }
}

/** What became of a file; undefined when it is as it was. A directory's time and size say nothing. */
export function changeOf(file: FoundFile, old: FoundFile | undefined): "A" | "C" | undefined {
  if (old === undefined) return "A";
  const same =
    file.mode === old.mode &&
    file.uid === old.uid &&
    file.gid === old.gid &&
    file.major === old.major &&
    file.minor === old.minor &&
    file.target === old.target &&
    (isDirectory(file) ||
      (file.size === old.size && file.seconds === old.seconds && file.nanoseconds === old.nanoseconds)) &&
    // A further name of a file comes without its attributes.
    (file.link !== "" || old.link !== "" || attributes(file) === attributes(old));
  return same ? undefined : "C";
}

function attributes({ xattrs }: FoundFile): string {
  return xattrs
    .filter(({ name }) => !/^(?:trusted|user)\.overlay\./.test(name))
    .map(({ name, value }) => `${name}=${Buffer.from(value).toString("hex")}`)
    .sort()
    .join("\n");
}
