/** How plugins fail: their own words and codes (CNI 1.1, "Error"), made an error. */
import { SampanError, type ErrorCode } from "#errdefs";
import { CniReader, type JsonObject } from "./reader.ts";

const meanings: ReadonlyMap<number, string> = new Map([
  [1, "incompatible version"],
  [2, "unsupported field"],
  [3, "unknown container"],
  [4, "invalid environment"],
  [5, "I/O failure"],
  [6, "undecodable content"],
  [7, "invalid network configuration"],
  [11, "try again later"],
  [50, "not available"],
  [51, "not available, and containers may have limited connectivity"],
]);

const codes: ReadonlyMap<number, ErrorCode> = new Map<number, ErrorCode>([
  [1, "unsupported"],
  [2, "unsupported"],
  [11, "unavailable"],
  [50, "unavailable"],
  [51, "unavailable"],
]);

export const incompatibleVersion = 1;
export const tryAgain = 11;

/** A plugin has refused, in the way of the specification. */
export class CniPluginError extends SampanError {
  /** Name of the plugin's program. */
  readonly plugin: string;
  /** The specification's number of the error, or the plugin's own from 100 on. */
  readonly cniCode: number;

  constructor(
    plugin: string,
    cniCode: number,
    words: string,
    init: { readonly action: string; readonly path: string },
  ) {
    const meaning = meanings.get(cniCode);
    const code = `CNI error ${cniCode}${meaning === undefined ? "" : `, ${meaning}`}`;
    super(
      codes.get(cniCode) ?? "failed-precondition",
      `Cannot ${init.action}: plugin "${plugin}": ${words === "" ? code : `${words} (${code})`}`,
      { path: init.path },
    );
    this.plugin = plugin;
    this.cniCode = cniCode;
  }
}

const longest = 1000;
const clean = (text: string): string =>
  text
    .replace(/\p{Cc}+/gu, " ")
    .trim()
    .slice(0, longest);

/** The specification's error object, undefined when it is none. */
function readFailure(object: JsonObject): { readonly code: number; readonly words: string } | undefined {
  const { code, msg, details } = object;
  if (typeof code !== "number" || !Number.isInteger(code) || code < 1 || code > 0xffff_ffff) return undefined;
  const words = [msg, details]
    .filter((text) => typeof text === "string" && text !== "")
    .map((text) => clean(text as string));
  return { code, words: words.join(": ") };
}

/** Text of a program that is to be shown, on one line; its end when it is long. */
export function tailOf(text: string): string {
  const whole = text.length > longest ? text.slice(-longest) : text;
  return clean(whole);
}

/** The error object that stands in a plugin's stdout, if any does. */
export function failureIn(text: string): { readonly code: number; readonly words: string } | undefined {
  try {
    return readFailure(new CniReader("").parse(text));
  } catch {
    return undefined;
  }
}
