/** Names of files come from outside: in a line of their own they must not make another, nor speak to the terminal. */
export function printName(name: string): string {
  return name.toWellFormed().replace(
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    /[\u0000-\u001f\u007f-\u009f]/g,
    (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
}

/** Warns once for each of a few files, and then only counts. */
export class FileNotes {
  readonly #words: Readonly<Record<string, string>> = {
    socket: "it is a socket, which is left out",
    shorter: "it became shorter while it was read, and is filled up with zeros",
    reserved: "its name begins like a whiteout's, so that it cannot be in a layer and is left out",
  };
  #count = 0;

  readonly add = (path: string, note: string): void => {
    this.#count += 1;
    if (this.#count <= shown)
      process.stderr.write(`sampan: note: "${printName(path)}": ${this.#words[note] ?? note}\n`);
  };

  /** To be called at the end. */
  summarize(): void {
    if (this.#count > shown) process.stderr.write(`sampan: note: and ${this.#count - shown} more files\n`);
  }
}

const shown = 10;
