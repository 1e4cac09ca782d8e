/** Docker's filters of events: values of one key are alternatives, keys hold together. */
import { invalidArgument } from "#errdefs";
import type { EngineEvent, EventType } from "./event.ts";

/** E.g. `{ event: ["die", "oom"], container: ["web"], label: ["tier=front"] }`. */
export type EventFilters = Readonly<Record<string, readonly string[]>>;

const ofType: ReadonlySet<string> = new Set(["container", "image", "volume", "network", "pod", "daemon"]);

/** @throws SampanError `invalid-argument` for a key that there is none of */
export function eventFilter(filters: EventFilters): (event: EngineEvent) => boolean {
  const tests = Object.entries(filters)
    .filter(([, values]) => values.length > 0)
    .map(([key, values]) => {
      const test = filterTest(key);
      return (event: EngineEvent): boolean => values.some((value) => test(event, value));
    });
  return (event) => tests.every((test) => test(event));
}

function filterTest(key: string): (event: EngineEvent, value: string) => boolean {
  if (ofType.has(key)) return (event, value) => isAbout(event, key as EventType, value);
  switch (key) {
    case "type":
      return (event, value) => event.type === value;
    case "event":
      // `exec_create: sh` and `health_status: healthy` are found by their first word too.
      return ({ action }, value) => action === value || action.startsWith(`${value}:`);
    case "label":
      return ({ attributes }, value) => {
        const at = value.indexOf("=");
        const name = at < 0 ? value : value.slice(0, at);
        return Object.hasOwn(attributes, name) && (at < 0 || attributes[name] === value.slice(at + 1));
      };
    case "scope":
      return (_, value) => value === "local";
    default:
      throw invalidArgument(`Cannot filter events by "${key}": there is no such filter`, {
        remedy: `It is one of type, event, label, scope, ${[...ofType].join(", ")}`,
      });
  }
}

function isAbout({ type, id, attributes }: EngineEvent, wanted: EventType, value: string): boolean {
  if (type === wanted)
    return id === value || attributes["name"] === value || (value.length >= 4 && id.startsWith(value));
  // What happens to a container also happens to its image, to filter by.
  return wanted === "image" && type === "container" && attributes["image"] === value;
}
