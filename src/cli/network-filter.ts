/** `--filter` of the commands about networks. */
import type { NetworkDetails } from "#engine";
import { invalidArgument } from "#errdefs";

type Test = (network: NetworkDetails) => boolean;

const defaultNetwork = "bridge";

function label(value: string): Test {
  const at = value.indexOf("=");
  const key = at < 0 ? value : value.slice(0, at);
  return ({ network }) => {
    const found = Object.hasOwn(network.labels, key) ? network.labels[key] : undefined;
    return found !== undefined && (at < 0 || found === value.slice(at + 1));
  };
}

const kinds: ReadonlyMap<string, (value: string) => Test> = new Map<string, (value: string) => Test>([
  [
    "name",
    (value) =>
      ({ network }) =>
        network.name.includes(value),
  ],
  [
    "driver",
    (value) =>
      ({ network }) =>
        network.driver === value,
  ],
  [
    "id",
    (value) =>
      ({ id }) =>
        id.startsWith(value),
  ],
  ["label", label],
  ["label!", (value) => (network) => !label(value)(network)],
  [
    "type",
    (value) =>
      ({ network }) =>
        (network.name === defaultNetwork ? "builtin" : "custom") === value,
  ],
]);

/** All of the keys must match, and any of several values of one key; but all of several labels. */
export function networkFilter(
  filters: readonly string[],
  more: ReadonlyMap<string, (value: string) => Test> = new Map(),
): Test {
  const tests = new Map<string, Test[]>();
  for (const text of filters) {
    const [, key = "", value = ""] = /^([a-z]+!?)=(.*)$/s.exec(text) ?? [];
    const kind = kinds.get(key) ?? more.get(key);
    if (kind === undefined)
      throw invalidArgument(`Cannot parse --filter "${text}": it is not KEY=VALUE with a known key`, {
        remedy: `Keys are ${[...kinds.keys(), ...more.keys()].join(", ")}`,
      });
    tests.set(key, [...(tests.get(key) ?? []), kind(value)]);
  }
  return (network) =>
    [...tests].every(([key, list]) =>
      key.startsWith("label") ? list.every((test) => test(network)) : list.some((test) => test(network)),
    );
}

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Made at least so long ago: `90s`, `10m`, `24h`, `7d`, several in a row, or a time such as `2026-01-31T12:00:00Z`. */
export function until(value: string): Test {
  const parts = [...value.matchAll(/(\d+)([smhd])/g)];
  const isDuration = parts.length > 0 && parts.map(([text]) => text).join("") === value;
  const seconds = parts.reduce((sum, [, number, unit = ""]) => sum + Number(number) * (units[unit] ?? 0), 0);
  const time = isDuration ? Date.now() - seconds * 1000 : Date.parse(value);
  if (Number.isNaN(time))
    throw invalidArgument(`Cannot parse --filter "until=${value}": it is neither a duration such as 24h nor a time`);
  return ({ network }) => network.createdAt <= time;
}
