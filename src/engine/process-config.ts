/** What the container's process is: the image's configuration and the options, put together with Docker's meaning. */
import { invalidArgument } from "#errdefs";
import { capabilityNames, defaultCapabilities, signalNumber } from "#plan";
import type { CapabilitySets, ImageRunConfig, RlimitConfig } from "#spec";
import type { ContainerOptions, UlimitOption } from "./options.ts";

const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const unlimited = 2n ** 64n - 1n;

/**
 * ENTRYPOINT and CMD: a new entrypoint also drops the image's CMD.
 *
 * @throws SampanError `invalid-argument` when neither the image nor the options say what to run
 */
export function processArguments(options: ContainerOptions, image: ImageRunConfig): string[] {
  const entrypoint = options.entrypoint ?? image.entrypoint ?? [];
  const command = options.command ?? (options.entrypoint === undefined ? (image.cmd ?? []) : []);
  const args = [...entrypoint, ...command];
  if (args.length === 0)
    throw invalidArgument(`Cannot run image "${options.image}": it names no command`, {
      remedy: "Write one behind the image's name",
    });
  if (args[0] === "") throw invalidArgument(`Cannot run image "${options.image}": the command's name is empty`);
  return args;
}

/** Later names win: defaults, the image's ENV, the options. */
export function processEnvironment(
  options: ContainerOptions,
  image: ImageRunConfig,
  facts: { readonly hostname: string; readonly home: string },
): string[] {
  const given = options.env ?? [];
  const own = isList(given) ? given : Object.entries(given).map(([name, value]) => `${name}=${value}`);
  const variables = new Map<string, string>();
  const set = (text: string): void => {
    const at = text.indexOf("=");
    const name = at < 0 ? text : text.slice(0, at);
    if (name === "" || text.includes("\0"))
      throw invalidArgument(`Cannot set variable ${JSON.stringify(text)}: it is not NAME=value`);
    variables.set(name, at < 0 ? "" : text.slice(at + 1));
  };
  set(defaultPath);
  set(`HOSTNAME=${facts.hostname}`);
  if (options.tty === true) set("TERM=xterm");
  for (const text of image.env) set(text);
  for (const text of own) set(text);
  if (!variables.has("HOME")) set(`HOME=${facts.home}`);
  return [...variables].map(([name, value]) => `${name}=${value}`);
}

function isList(value: readonly string[] | Readonly<Record<string, string>>): value is readonly string[] {
  return Array.isArray(value);
}

const capabilityName = (text: string): string => {
  const upper = text.toUpperCase();
  return upper === "ALL" || upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
};

/**
 * Docker's default capabilities with `capAdd` and `capDrop`; `ALL` stands for all that the host can give.
 *
 * @param uid of the process: without root, a capability is only in the bounding set
 */
export function processCapabilities(
  options: Pick<ContainerOptions, "capAdd" | "capDrop" | "capAmbient" | "privileged">,
  host: { readonly capabilities: bigint; readonly lastCapability: number },
  uid: number,
): CapabilitySets {
  const available = capabilityNames.filter(
    (_, n) => n <= host.lastCapability && (host.capabilities & (1n << BigInt(n))) !== 0n,
  );
  const add = (options.capAdd ?? []).map(capabilityName);
  const drop = (options.capDrop ?? []).map(capabilityName);
  const ambient = (options.capAmbient ?? []).map(capabilityName);
  for (const name of [...add, ...drop, ...ambient])
    if ((name !== "ALL" || ambient.includes(name)) && !capabilityNames.includes(name))
      throw invalidArgument(`Cannot use capability "${name}": Linux has none of this name`, {
        remedy: "See capabilities(7); the CAP_ in front may be left out",
      });
  let set = new Set<string>(options.privileged === true || add.includes("ALL") ? available : defaultCapabilities);
  if (drop.includes("ALL")) set = new Set(add.includes("ALL") ? available : []);
  for (const name of drop) set.delete(name);
  for (const name of [...add, ...ambient]) if (name !== "ALL") set.add(name);
  const names = capabilityNames.filter((name) => set.has(name));
  // As root, exec gives what is in the bounding set; any other user starts without capabilities (CVE-2018-10856).
  // What is ambient is kept by exec, and is inheritable for that: the only ones that are (CVE-2022-24769).
  const kept = names.filter((name) => ambient.includes(name));
  const held = uid === 0 ? names : kept;
  return { bounding: names, effective: held, permitted: held, inheritable: kept, ambient: kept };
}

export function processRlimits(ulimits: readonly UlimitOption[]): RlimitConfig[] {
  return ulimits.map((u) => ({
    type: `RLIMIT_${u.name.toUpperCase()}`,
    soft: u.soft === -1 ? unlimited : BigInt(u.soft),
    hard: u.hard === -1 ? unlimited : BigInt(u.hard),
  }));
}

/** A signal by name, with or without SIG, or by number. */
export function parseSignal(text: string): number {
  const number = /^\d+$/.test(text) ? Number(text) : signalNumber(text);
  if (number === undefined || number < 1 || number > 64)
    throw invalidArgument(`Cannot send signal "${text}": Linux has none of this name`, {
      remedy: "See signal(7), e.g. TERM, SIGHUP or 9",
    });
  return number;
}
