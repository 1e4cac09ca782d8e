/** The keys by which a user leaves a terminal that goes on without them. */
import { invalidArgument } from "#errdefs";

/** ctrl-p ctrl-q, as Docker's. */
export const defaultDetachKeys: readonly number[] = [0x10, 0x11];

/** `ctrl-p,ctrl-q`: single characters, or `ctrl-` with a letter or one of `@[\\]^_`, up to 16. Empty for the default. */
export function parseDetachKeys(text: string | undefined): readonly number[] {
  if (text === undefined || text === "") return defaultDetachKeys;
  const keys = text.split(",").map((key) => {
    const [, control] = /^ctrl-([a-z@[\\\]^_])$/i.exec(key) ?? [];
    if (control !== undefined) return control.toUpperCase().charCodeAt(0) - 0x40;
    return /^[ -~]$/.test(key) ? key.charCodeAt(0) : undefined;
  });
  if (keys.length > 16 || keys.includes(undefined))
    throw invalidArgument(`Cannot parse --detach-keys "${text}": it is no list of keys`, {
      remedy: "Write e.g. ctrl-p,ctrl-q or ctrl-x,d",
    });
  return keys as number[];
}

/** Takes the detach keys out of what is typed; what only began like them is passed on when that shows. */
export class DetachKeys {
  readonly #keys: readonly number[];
  #held: number[] = [];

  constructor(keys: readonly number[]) {
    this.#keys = keys;
  }

  take(chunk: Uint8Array): { readonly data: Uint8Array; readonly detach: boolean } {
    const out: number[] = [];
    for (const byte of chunk) {
      this.#held.push(byte);
      while (this.#held.some((held, i) => held !== this.#keys[i])) out.push(this.#held.shift() ?? 0);
      if (this.#held.length === this.#keys.length) {
        this.#held = [];
        return { data: Uint8Array.from(out), detach: true };
      }
    }
    return { data: Uint8Array.from(out), detach: false };
  }
}
