/** Docker's filters of `volume ls` and `volume prune`. */
import { invalidArgument } from "#errdefs";
import type { Volume } from "./volumes.ts";

/** E.g. `{ dangling: ["true"], label: ["tier=front"] }`. */
export type VolumeFilters = Readonly<Record<string, readonly string[]>>;

/** @throws SampanError `invalid-argument` for a key or value that can't be */
export function volumeFilter(filters: VolumeFilters): (volume: Volume) => boolean {
  const tests = Object.entries(filters)
    .filter(([, values]) => values.length > 0)
    .map(([key, values]) => {
      const each = values.map((value) => filterTest(key, value));
      const all = key === "label" || key === "label!";
      return (volume: Volume): boolean =>
        all ? each.every((test) => test(volume)) : each.some((test) => test(volume));
    });
  return (volume) => tests.every((test) => test(volume));
}

function filterTest(key: string, value: string): (volume: Volume) => boolean {
  switch (key) {
    case "name":
      return ({ name }) => name.includes(value);
    case "driver":
      return ({ driver }) => driver === value;
    case "dangling":
      if (!["true", "false", "1", "0"].includes(value))
        throw invalidArgument(`Cannot filter volumes by dangling=${value}: it is true or false`);
      return ({ users }) => (users.length === 0) === (value === "true" || value === "1");
    case "label":
    case "label!": {
      const at = value.indexOf("=");
      const name = at < 0 ? value : value.slice(0, at);
      const has = ({ labels }: Volume): boolean =>
        Object.hasOwn(labels, name) && (at < 0 || labels[name] === value.slice(at + 1));
      return key === "label" ? has : (volume) => !has(volume);
    }
    default:
      throw invalidArgument(`Cannot filter volumes by "${key}": there is no such filter`, {
        remedy: "It is one of name, label, label!, driver and dangling",
      });
  }
}
