import { invalidArgument, resourceExhausted } from "#errdefs";
import { digestProblem, isDigest } from "./digest.ts";
import type { Digest } from "./types.ts";

/** Largest manifest, index or image configuration in bytes that is ever read, whatever limit is set. */
export const maxDocumentSize: number = 64 * 1024 * 1024;

/** Largest one that is taken from outside where no other limit is set (distribution-spec: registries should take 4 MiB). */
export const defaultDocumentSize: number = 4 * 1024 * 1024;

const maxString = 1024 * 1024;

export type JsonObject = Readonly<Record<string, unknown>>;

/** Reads values of one parsed JSON document; every error names the document and the field's path. */
export class DocumentReader {
  readonly document: string;

  /** @param document what it is, with an article, e.g. `the image manifest` */
  constructor(document: string) {
    this.document = document;
  }

  /**
   * Parses the document's text, an object at the top.
   *
   * @throws SampanError `resource-exhausted` when it is larger than {@link maxDocumentSize}, `invalid-argument` when it
   * is no JSON object
   */
  parse(text: string): JsonObject {
    if (text.length > maxDocumentSize) {
      throw resourceExhausted(
        `Cannot read ${this.document}: ${text.length} characters, at most ${maxDocumentSize} are allowed`,
      );
    }
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw invalidArgument(`Cannot read ${this.document}: it is not JSON`, { cause: error });
    }
    return this.object(value, "");
  }

  fail(path: string, state: string): never {
    throw invalidArgument(`Cannot read ${this.document}: ${path === "" ? "it" : path} ${state}`, { path });
  }

  object(value: unknown, path: string): JsonObject {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      this.fail(path, `is ${typeName(value)}, must be an object`);
    }
    return value as JsonObject;
  }

  /** An object, or undefined when it is missing or null (Go writes null for empty). */
  optionalObject(value: unknown, path: string): JsonObject | undefined {
    return value === undefined || value === null ? undefined : this.object(value, path);
  }

  /** A list; a missing one or null is empty. */
  list(value: unknown, path: string, limit: number): readonly unknown[] {
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) this.fail(path, `is ${typeName(value)}, must be a list`);
    if (value.length > limit) this.fail(path, `has ${value.length} items, at most ${limit} are allowed`);
    return value;
  }

  /** A string without NUL, which no path, argument or variable can hold. */
  string(value: unknown, path: string): string {
    if (typeof value !== "string") this.fail(path, `is ${typeName(value)}, must be a string`);
    if (value.length > maxString) {
      this.fail(path, `has ${value.length} characters, at most ${maxString} are allowed`);
    }
    if (value.includes("\0")) this.fail(path, "has a NUL character");
    return value;
  }

  /** A string; a missing one or null is empty. */
  optionalString(value: unknown, path: string): string {
    return value === undefined || value === null ? "" : this.string(value, path);
  }

  strings(value: unknown, path: string, limit: number): readonly string[] {
    return this.list(value, path, limit).map((item, index) => this.string(item, `${path}[${index}]`));
  }

  /** Keys of an object that stands for a set, like `"Volumes": {"/data": {}}`. */
  keys(value: unknown, path: string, limit: number): readonly string[] {
    const object = this.optionalObject(value, path);
    if (object === undefined) return [];
    const keys = Object.keys(object);
    if (keys.length > limit) this.fail(path, `has ${keys.length} entries, at most ${limit} are allowed`);
    return keys.map((key) => this.string(key, `${path} key`));
  }

  /** Entries of an object whose values are strings; null is an empty string. */
  stringEntries(value: unknown, path: string, limit: number): readonly (readonly [string, string])[] {
    const object = this.optionalObject(value, path) ?? {};
    return this.keys(value, path, limit).map((key) => [key, this.optionalString(object[key], `${path}["${key}"]`)]);
  }

  digest(value: unknown, path: string): Digest {
    const text = this.string(value, path);
    if (!isDigest(text)) this.fail(path, `is no digest: ${digestProblem(text)}`);
    return text;
  }

  /** A size in bytes that JavaScript holds exactly. */
  size(value: unknown, path: string): number {
    if (typeof value !== "number") this.fail(path, `is ${typeName(value)}, must be a number`);
    if (value < 0) this.fail(path, `is ${value}, must not be negative`);
    if (!Number.isSafeInteger(value)) this.fail(path, `is ${value}, must be a whole number below 2^53`);
    return value;
  }
}

function typeName(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  return `a ${typeof value}`;
}
