/** Reads values of JSON that comes from files and plugins: every error names where it is from, the path, and the rule. */
import { failedPrecondition, type SampanError } from "#errdefs";
import { parseIp } from "../address/text.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** Characters of one document, and how deep its values may be in each other. */
export const largestDocument = 1024 * 1024;
const deepest = 64;
const longestString = 65_536;

/** True for a property that counts as missing: absent, or `null` as Go programs write it. */
export const isMissing = (value: unknown): value is undefined | null => value === undefined || value === null;

function kindOf(value: unknown): string {
  if (isMissing(value)) return value === null ? "null" : "missing";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

export class CniReader {
  readonly #what: string;
  readonly #path: string | undefined;

  /**
   * @param what words that follow `Cannot read`, e.g. `the answer of CNI plugin "bridge"`
   * @param path of the file that it is from
   */
  constructor(what: string, path?: string) {
    this.#what = what;
    this.#path = path;
  }

  error(at: string, state: string, cause?: unknown): SampanError {
    return failedPrecondition(`Cannot read ${this.#what}: ${at === "" ? "it" : at} ${state}`, {
      ...(this.#path === undefined ? {} : { path: this.#path }),
      ...(at === "" ? {} : { config: at }),
      ...(cause === undefined ? {} : { cause }),
    });
  }

  /** @throws SampanError `failed-precondition` for what is no JSON object, too long, or too deep */
  parse(text: string): JsonObject {
    if (text.length > largestDocument) throw this.error("", `is longer than ${largestDocument} characters`);
    if (text.trim() === "") throw this.error("", "is empty");
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw this.error("", `is not JSON: ${(cause as Error).message}`, cause);
    }
    this.#checkDepth(value);
    return this.object(value, "");
  }

  /** What is written again later must not be too deep for that. */
  #checkDepth(whole: unknown): void {
    let level: unknown[] = [whole];
    for (let depth = 0; level.length > 0; depth += 1) {
      if (depth > deepest) throw this.error("", `has values more than ${deepest} deep`);
      level = level.flatMap((value) => (typeof value === "object" && value !== null ? Object.values(value) : []));
    }
  }

  object(value: unknown, at: string): JsonObject {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw this.error(at, `is ${kindOf(value)}, must be an object`);
    return value as JsonObject;
  }

  string(value: unknown, at: string): string {
    if (typeof value !== "string") throw this.error(at, `is ${kindOf(value)}, must be a string`);
    if (value.length > longestString) throw this.error(at, `is longer than ${longestString} characters`);
    if (/[^\P{Cc}\t]/u.test(value)) throw this.error(at, "has a control character");
    return value;
  }

  /** Undefined when missing. Go programs leave empty strings out, so that they mean the same. */
  text(value: unknown, at: string): string | undefined {
    if (isMissing(value)) return undefined;
    const text = this.string(value, at);
    return text === "" ? undefined : text;
  }

  /** One that may be written as a string too, as some have it. False when missing. */
  boolean(value: unknown, at: string): boolean {
    if (isMissing(value)) return false;
    if (typeof value === "boolean") return value;
    if (typeof value === "string" && /^(true|false)$/i.test(value)) return value.toLowerCase() === "true";
    throw this.error(at, `is ${kindOf(value)}, must be true or false`);
  }

  integer(value: unknown, at: string, least: number, most: number): number {
    if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most)
      throw this.error(at, `must be a whole number from ${least} to ${most}`);
    return value;
  }

  /** A missing list is an empty one. */
  list<T>(value: unknown, at: string, limit: number, item: (value: unknown, at: string) => T): readonly T[] {
    if (isMissing(value)) return [];
    if (!Array.isArray(value)) throw this.error(at, `is ${kindOf(value)}, must be a list`);
    if (value.length > limit) throw this.error(at, `has ${value.length} items, at most ${limit} are allowed`);
    return value.map((one, index) => item(one, `${at}[${index}]`));
  }

  address(value: unknown, at: string): string {
    const text = this.string(value, at);
    if (parseIp(text) === undefined) throw this.error(at, `is "${text.slice(0, 100)}", must be an address`);
    return text;
  }

  /** An address and the length of its network's prefix. */
  prefix(value: unknown, at: string): string {
    const text = this.string(value, at);
    const [, address = "", length = ""] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
    const bytes = parseIp(address);
    if (bytes === undefined || Number(length) > bytes.length * 8)
      throw this.error(at, `is "${text.slice(0, 100)}", must be an address, "/" and a length`);
    return text;
  }
}
