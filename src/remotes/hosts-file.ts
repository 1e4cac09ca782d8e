/** The text of a `hosts.toml` (containerd, docs/hosts.md): which hosts have a registry's images, and how they are asked. */
import { TomlError, parse } from "smol-toml";
import { invalidArgument } from "#errdefs";
import { allCapabilities, type Capability } from "./capability.ts";
import { parseDuration } from "./duration.ts";

/** A host as the file describes it. Paths are as written there. */
export interface HostEntry {
  /** Undefined where the file does not say: the registry itself. */
  readonly origin: { readonly scheme: "http" | "https"; readonly host: string; readonly path: string } | undefined;
  /** Undefined where the file does not say, which is all of them. */
  readonly capabilities: ReadonlySet<Capability> | undefined;
  readonly ca: readonly string[];
  /** Certificate and key; without a key it is in the certificate's file. */
  readonly client: readonly { readonly cert: string; readonly key: string | undefined }[];
  readonly skipVerify: boolean | undefined;
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** Milliseconds. */
  readonly dialTimeout: number | undefined;
}

const maxHosts = 100;
const maxItems = 100;
const topKeys: ReadonlySet<string> = new Set(["server", "host"]);
const hostKeys: ReadonlySet<string> = new Set([
  "capabilities",
  "ca",
  "client",
  "skip_verify",
  "header",
  "override_path",
  "dial_timeout",
]);
/** Headers that say how the message itself is to be read, or who asks whom. */
const reservedHeaders = /^(?:host|content-length|transfer-encoding|connection|upgrade|te|trailer|expect|range)$/i;

/**
 * Reads the file: its `[host]` tables in their order, then the server.
 *
 * @param path for messages
 * @throws SampanError `invalid-argument` that names the file, the line and the key
 */
export function parseHostsFile(text: string, path: string): readonly HostEntry[] {
  let document: Record<string, unknown>;
  try {
    document = parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = (error.message.split("\n", 1)[0] ?? "").replace(/^Invalid TOML document: /, "");
    throw invalidArgument(`Cannot read "${path}": line ${error.line}: ${reason}`, { path, cause: error });
  }
  const reader = new Reader(text, path);
  const { host: hosts = {}, server = "", ...root } = document;
  if (!isTable(hosts)) return reader.fail([], "host", "must be a table for each host");
  for (const key of Object.keys(document)) {
    if (!topKeys.has(key) && !hostKeys.has(key)) reader.fail([], key, "is no key of this file");
  }
  const entries = Object.entries(hosts);
  if (entries.length > maxHosts)
    reader.fail([], "host", `has ${entries.length} hosts, at most ${maxHosts} are allowed`);
  if (typeof server !== "string") return reader.fail([], "server", "must be a string");
  return [
    ...entries.map(([name, table]) => {
      if (!isTable(table)) return reader.fail(["host"], name, "must be a table");
      for (const key of Object.keys(table)) {
        if (!hostKeys.has(key)) reader.fail(["host", name], key, "is no key of a host");
      }
      if (name === "") reader.fail(["host"], name, "is no address");
      return reader.entry(name, ["host", name], table);
    }),
    reader.entry(server, [], root),
  ];
}

type Table = Readonly<Record<string, unknown>>;

function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

class Reader {
  readonly #text: string;
  readonly #path: string;

  constructor(text: string, path: string) {
    this.#text = text;
    this.#path = path;
  }

  fail(table: readonly string[], key: string, state: string): never {
    const line = lineOf(this.#text, table, key);
    const name = [...table, key].map((part) => (/^[\w-]+$/.test(part) ? part : JSON.stringify(part))).join(".");
    throw invalidArgument(`Cannot read "${this.#path}": line ${line}: ${name} ${state}`, {
      path: this.#path,
      config: name,
    });
  }

  entry(server: string, at: readonly string[], table: Table): HostEntry {
    const boolean = (key: string): boolean | undefined => {
      const value = table[key];
      if (value !== undefined && typeof value !== "boolean") this.fail(at, key, "must be true or false");
      return value;
    };
    const dial = table["dial_timeout"];
    if (dial !== undefined && typeof dial !== "string") this.fail(at, "dial_timeout", 'must be a duration like "5s"');
    const dialTimeout = dial === undefined || dial === "" ? undefined : parseDuration(dial);
    if (
      dial !== undefined &&
      dial !== "" &&
      (dialTimeout === undefined || dialTimeout < 1 || dialTimeout > 86_400_000)
    ) {
      this.fail(at, "dial_timeout", `is "${dial}", must be a duration like "5s"`);
    }
    return {
      origin: server === "" ? undefined : this.#origin(server, at, boolean("override_path") ?? false),
      capabilities: this.#capabilities(at, table["capabilities"]),
      ca: this.#strings(at, "ca", table["ca"] ?? []),
      client: this.#client(at, table["client"] ?? []),
      skipVerify: boolean("skip_verify"),
      headers: this.#headers(at, table["header"] ?? {}),
      dialTimeout,
    };
  }

  #origin(server: string, at: readonly string[], overridePath: boolean): HostEntry["origin"] {
    const [table, key] = at.length === 0 ? [[], "server"] : [at.slice(0, -1), at.at(-1) ?? ""];
    const isOther = /[\s\\]|^(?!https?:\/\/)[^/]*:\/\//.test(server);
    const url = URL.parse(/^https?:\/\//.test(server) ? server : `https://${server}`);
    if (url === null || isOther || url.host === "" || url.search !== "" || url.hash !== "") {
      return this.fail(table, key, "is no address like https://mirror.example.com:5000");
    }
    if (url.username !== "" || url.password !== "") {
      return this.fail(table, key, "has a password in its address: log in to the host, or set a header");
    }
    const path = url.pathname.replace(/\/+/g, "/").replace(/\/$/, "");
    return {
      scheme: url.protocol === "http:" ? "http" : "https",
      host: url.host,
      path: overridePath || path.endsWith("/v2") ? path : `${path}/v2`,
    };
  }

  #capabilities(at: readonly string[], value: unknown): ReadonlySet<Capability> | undefined {
    const names = this.#strings(at, "capabilities", value ?? []).map((name) => name.toLowerCase() as Capability);
    const unknown = names.find((name) => !allCapabilities.has(name));
    if (unknown !== undefined) {
      this.fail(at, "capabilities", `has "${unknown}", must be of pull, resolve, push and referrers`);
    }
    return names.length === 0 ? undefined : new Set(names);
  }

  /** A string or a list of them. */
  #strings(at: readonly string[], key: string, value: unknown): readonly string[] {
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (list.length > maxItems) this.fail(at, key, `has ${list.length} items, at most ${maxItems} are allowed`);
    return list.map((item) =>
      typeof item === "string" && item !== "" && !item.includes("\0")
        ? item
        : this.fail(at, key, "must be a string or a list of strings"),
    );
  }

  #client(at: readonly string[], value: unknown): HostEntry["client"] {
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (list.length > maxItems) this.fail(at, "client", `has ${list.length} items, at most ${maxItems} are allowed`);
    return list.map((item) => {
      const [cert, key, ...more] = this.#strings(at, "client", item);
      if (cert === undefined || more.length > 0 || (Array.isArray(item) && key === undefined)) {
        return this.fail(at, "client", "must be a file, a list of files, or a list of pairs of certificate and key");
      }
      return { cert, key };
    });
  }

  #headers(at: readonly string[], value: unknown): HostEntry["headers"] {
    if (!isTable(value)) return this.fail(at, "header", "must be a table");
    const headers = Object.entries(value);
    if (headers.length > maxItems) this.fail(at, "header", `has ${headers.length}, at most ${maxItems} are allowed`);
    return new Map(
      headers.map(([name, given]) => {
        const table = [...at, "header"];
        if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) this.fail(table, name, "is no name of a header");
        if (reservedHeaders.test(name)) this.fail(table, name, "can't be set");
        const values = this.#strings(table, name, given);
        if (values.some((text) => /[^\t\x20-\x7e\x80-\xff]/.test(text))) {
          this.fail(table, name, "has characters that no header may have");
        }
        return [name, values];
      }),
    );
  }
}

const keyPart = String.raw`(?:"(?:[^"\\]|\\.)*"|'[^']*'|[\w-]+)`;
const dottedKey = String.raw`(${keyPart}(?:[ \t]*\.[ \t]*${keyPart})*)`;
const tablePattern = new RegExp(String.raw`^[ \t]*\[[ \t]*${dottedKey}[ \t]*\]`);
const keyPattern = new RegExp(String.raw`^[ \t]*${dottedKey}[ \t]*=`);

/** Line of a key, or of its table where it is not found on a line of its own; from 1. */
function lineOf(text: string, table: readonly string[], key: string): number {
  let current: readonly string[] = [];
  let nearest = 1;
  const same = (one: readonly string[], other: readonly string[]): boolean =>
    one.length === other.length && one.every((part, index) => part === other[index]);
  for (const [index, line] of text.split("\n").entries()) {
    const header = tablePattern.exec(line)?.[1];
    if (header !== undefined) {
      current = keyParts(header);
      if (same(current, [...table, key])) return index + 1;
      if (same(current, table)) nearest = index + 1;
      continue;
    }
    const left = keyPattern.exec(line)?.[1];
    if (left !== undefined && same([...current, ...keyParts(left)], [...table, key])) return index + 1;
  }
  return nearest;
}

/** Parts of a dotted key. */
function keyParts(text: string): readonly string[] {
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|([\w-]+)/g)].map(
    ([, double, single, bare]) => double?.replace(/\\(.)/g, "$1") ?? single ?? bare ?? "",
  );
}
