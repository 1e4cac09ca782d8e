/** Instructions of a Dockerfile that change an image's configuration (`--change` of commit and import). */
import { invalidArgument, type SampanError } from "#errdefs";

/** `config` of an image's configuration, as JSON has it. What is not known here stays as it is. */
export type RunConfig = Record<string, unknown>;

const nanoseconds: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/**
 * Changes a configuration by instructions such as `CMD ["a", "b"]`, in their order. CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK,
 * LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME and WORKDIR are known, in any case.
 *
 * @throws SampanError `invalid-argument` that names the instruction
 */
export function changeConfig(config: RunConfig, changes: readonly string[]): RunConfig {
  const result = structuredClone(config);
  for (const change of changes) apply(result, change);
  return result;
}

function apply(config: RunConfig, change: string): void {
  const [, name = "", rest = ""] = /^\s*([A-Za-z]+)(?:\s+|=)(.*?)\s*$/s.exec(change) ?? [];
  const fail = (state: string, remedy?: string): SampanError =>
    invalidArgument(
      `Cannot apply the change ${JSON.stringify(change)}: ${state}`,
      remedy === undefined ? {} : { remedy },
    );
  if (rest === "" || rest.includes("\0")) throw fail("it is not INSTRUCTION ARGUMENTS");
  const add = (key: string, names: readonly string[]): void => {
    config[key] = { ...objectOf(config[key]), ...Object.fromEntries(names.map((one) => [one, {}])) };
  };
  switch (name.toUpperCase()) {
    case "CMD":
      config["Cmd"] = commandOf(rest, fail);
      delete config["ArgsEscaped"];
      return;
    case "ENTRYPOINT":
      config["Entrypoint"] = commandOf(rest, fail);
      return;
    case "ENV":
      config["Env"] = mergeEnvironment(listOf(config["Env"]), pairs(rest, fail));
      return;
    case "LABEL":
      config["Labels"] = { ...objectOf(config["Labels"]), ...Object.fromEntries(pairs(rest, fail)) };
      return;
    case "EXPOSE":
      add(
        "ExposedPorts",
        words(rest, fail).flatMap((port) => ports(port, fail)),
      );
      return;
    case "VOLUME":
      add("Volumes", listed(rest, fail));
      return;
    case "USER":
      config["User"] = single(rest, fail);
      return;
    case "STOPSIGNAL":
      config["StopSignal"] = single(rest, fail);
      return;
    case "WORKDIR": {
      const path = single(rest, fail);
      const before = typeof config["WorkingDir"] === "string" ? config["WorkingDir"] : "";
      config["WorkingDir"] = cleanDirectory(path.startsWith("/") ? path : `${before}/${path}`);
      return;
    }
    case "ONBUILD":
      config["OnBuild"] = [...listOf(config["OnBuild"]), rest];
      return;
    case "HEALTHCHECK":
      config["Healthcheck"] = healthcheck(rest, fail);
      return;
    default:
      throw fail(
        `there is no instruction ${name.toUpperCase()} for that`,
        "It is one of CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME and WORKDIR",
      );
  }
}

type Fail = (state: string, remedy?: string) => SampanError;

const listOf = (value: unknown): readonly string[] => (Array.isArray(value) ? (value as string[]) : []);
const objectOf = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};

/** A list in JSON is taken as it is, anything else is for a shell. */
function commandOf(text: string, fail: Fail): readonly string[] {
  return jsonList(text, fail) ?? ["/bin/sh", "-c", text];
}

function jsonList(text: string, fail: Fail): readonly string[] | undefined {
  if (!text.startsWith("[")) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string"))
    throw fail("its list has no texts only");
  return value;
}

function listed(text: string, fail: Fail): readonly string[] {
  const list = jsonList(text, fail) ?? words(text, fail);
  if (list.some((path) => path === "")) throw fail("a path is empty");
  return list;
}

/** Words between white space, where quotes and backslashes hold one together. */
function words(text: string, fail: Fail): string[] {
  const list: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let i = 0; i < text.length; i += 1) {
    const character = text[i] ?? "";
    if (quote === "'" && character !== "'") word = (word ?? "") + character;
    else if (character === "\\" && i + 1 < text.length) {
      i += 1;
      word = (word ?? "") + (text[i] ?? "");
    } else if (character === quote) quote = undefined;
    else if (quote === undefined && (character === '"' || character === "'")) {
      quote = character;
      word ??= "";
    } else if (quote === undefined && /\s/.test(character)) {
      if (word !== undefined) list.push(word);
      word = undefined;
    } else word = (word ?? "") + character;
  }
  if (quote !== undefined) throw fail("a quote is not closed");
  if (word !== undefined) list.push(word);
  return list;
}

/** `NAME=VALUE …`, or the old `NAME VALUE` with one of them. */
function pairs(text: string, fail: Fail): readonly (readonly [string, string])[] {
  const [, name = "", value = ""] = /^([^\s=]+)\s+(.*)$/s.exec(text) ?? [];
  if (name !== "") return [[name, value]];
  return words(text, fail).map((word) => {
    const at = word.indexOf("=");
    if (at <= 0) throw fail(`${JSON.stringify(word)} is not NAME=VALUE`);
    return [word.slice(0, at), word.slice(at + 1)] as const;
  });
}

/** Variables keep their places; new ones come last. */
export function mergeEnvironment(
  before: readonly string[],
  added: readonly (readonly [name: string, value: string])[],
): readonly string[] {
  const variables = new Map(before.map((text) => [text.split("=", 1)[0] ?? "", text]));
  for (const [name, value] of added) variables.set(name, `${name}=${value}`);
  return [...variables.values()];
}

function ports(text: string, fail: Fail): string[] {
  const [, from = "", to = from, protocol = "tcp"] = /^(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/i.exec(text) ?? [];
  const first = Number(from);
  const last = Number(to);
  if (from === "" || first < 1 || last > 65_535 || last < first)
    throw fail(`${JSON.stringify(text)} is no port`, "Write PORT, FIRST-LAST, and /tcp, /udp or /sctp behind it");
  return Array.from({ length: last - first + 1 }, (_, i) => `${first + i}/${protocol.toLowerCase()}`);
}

function single(text: string, fail: Fail): string {
  const [word, more] = words(text, fail);
  if (word === undefined || word === "" || more !== undefined) throw fail("it takes one argument");
  return word;
}

function cleanDirectory(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return `/${parts.join("/")}`;
}

function healthcheck(text: string, fail: Fail): RunConfig {
  if (/^none$/i.test(text)) return { Test: ["NONE"] };
  const result: RunConfig = {};
  let rest = text;
  for (;;) {
    const [whole, name = "", value = ""] = /^--([a-z-]+)=(\S+)\s+/.exec(rest) ?? [];
    if (whole === undefined) break;
    rest = rest.slice(whole.length);
    const key = {
      interval: "Interval",
      timeout: "Timeout",
      "start-period": "StartPeriod",
      "start-interval": "StartInterval",
    }[name];
    if (name === "retries" && /^\d{1,6}$/.test(value)) result["Retries"] = Number(value);
    else if (key !== undefined) result[key] = duration(value, fail);
    else throw fail(`--${name}=${value} is no option of it`);
  }
  const [, command = ""] = /^CMD\s+(.*)$/is.exec(rest) ?? [];
  if (command === "") throw fail("it is neither NONE nor CMD with a command");
  const list = jsonList(command, fail);
  return { Test: list === undefined ? ["CMD-SHELL", command] : ["CMD", ...list], ...result };
}

function duration(text: string, fail: Fail): number {
  if (!/^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/.test(text))
    throw fail(`${JSON.stringify(text)} is no duration, such as 30s`);
  let total = 0;
  for (const [, value, unit = ""] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g))
    total += Number(value) * (nanoseconds[unit] ?? 0);
  return Math.round(total);
}
