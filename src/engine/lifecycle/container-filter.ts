/** Docker's filters of `ps`: values of one key are alternatives, keys hold together; of labels all must hold. */
import { invalidArgument } from "#errdefs";
import { parseInteger } from "../units.ts";
import type { ContainerSummary } from "./summary.ts";

/** E.g. `{ status: ["exited"], exited: ["1"], label: ["tier=front"] }`. */
export type ContainerFilters = Readonly<Record<string, readonly string[]>>;

/** What filters look up beside the containers themselves. */
export interface FilterContext {
  /** Ids of the image by this name or id and of those made from it; the word itself where there is none. */
  readonly image: (nameOrId: string) => readonly string[];
  /** When the container of this name or id was made, in milliseconds since the epoch; throws `not-found`. */
  readonly createdAt: (nameOrId: string) => number;
}

type Test = (container: ContainerSummary) => boolean;

const statuses = new Set(["created", "restarting", "running", "removing", "paused", "exited", "dead"]);
const healths = new Set(["starting", "healthy", "unhealthy", "none"]);

/** @throws SampanError `invalid-argument` for a key or value that can't be, `not-found` for a container that is not there */
export function containerFilter(filters: ContainerFilters, context: FilterContext): Test {
  const tests = Object.entries(filters)
    .filter(([, values]) => values.length > 0)
    .map(([key, values]): Test => {
      const each = values.map((value) => filterTest(key, value, context));
      if (key === "label") return (c) => each.every((test) => test(c));
      return (c) => each.some((test) => test(c));
    });
  return (container) => tests.every((test) => test(container));
}

/** Whether filters ask for containers that don't run: those are shown without `--all` then. */
export function looksAtEnded(filters: ContainerFilters): boolean {
  return ["status", "exited", "before", "since"].some((key) => (filters[key] ?? []).length > 0);
}

function filterTest(key: string, value: string, context: FilterContext): Test {
  switch (key) {
    case "id":
      return ({ id }) => id.startsWith(value);
    case "name": {
      const pattern = nameTest(value);
      return ({ name }) => pattern(name);
    }
    case "label": {
      const at = value.indexOf("=");
      const name = at < 0 ? value : value.slice(0, at);
      return ({ labels }) => Object.hasOwn(labels, name) && (at < 0 || labels[name] === value.slice(at + 1));
    }
    case "exited": {
      const code = parseInteger(value, "filter exited", 0, 255);
      return (c) => c.status === "exited" && c.exitCode === code;
    }
    case "status":
      if (!statuses.has(value)) throw noValue(key, value, statuses);
      return ({ status }) => status === value;
    case "health":
      if (!healths.has(value)) throw noValue(key, value, healths);
      return ({ health }) => (health ?? "none") === value;
    case "ancestor": {
      const ids = new Set(context.image(value));
      return (c) => ids.has(c.imageId) || c.image === value;
    }
    case "before": {
      const time = context.createdAt(value);
      return (c) => c.createdAt < time;
    }
    case "since": {
      const time = context.createdAt(value);
      return (c) => c.createdAt > time;
    }
    case "volume":
      return ({ mounts }) => mounts.some((m) => m.name === value || m.target === value || m.source === value);
    case "network":
      return ({ networks }) => networks.includes(value);
    case "publish": {
      const wanted = portRange(key, value);
      return ({ ports }) => ports.some((p) => p.protocol === wanted.protocol && inRange(p.hostPort, wanted));
    }
    case "expose": {
      const wanted = portRange(key, value);
      return ({ exposed, ports }) =>
        [...exposed, ...ports.map((p) => `${p.port}/${p.protocol}`)].some((text) => {
          const [port = "", protocol] = text.split("/");
          return protocol === wanted.protocol && inRange(Number(port), wanted);
        });
    }
    default:
      throw invalidArgument(`Cannot filter containers by "${key}": there is no such filter`, {
        remedy:
          "It is one of id, name, label, exited, status, health, ancestor, before, since, volume, network, publish, expose",
      });
  }
}

function noValue(key: string, value: string, known: ReadonlySet<string>): Error {
  return invalidArgument(`Cannot filter containers by ${key}=${value}: it is one of ${[...known].join(", ")}`);
}

/** A part of the name, where `^` stands for its beginning, `$` for its end and `*` for anything. */
function nameTest(value: string): (name: string) => boolean {
  const [, start = "", body = "", end = ""] = /^(\^?\/?)(.*?)(\$?)$/s.exec(value) ?? [];
  const parts = body.split(/\.?\*/);
  return (name) => {
    let at = 0;
    for (const [i, part] of parts.entries()) {
      const last = i === parts.length - 1 && end !== "";
      const found = last ? Math.max(at, name.length - part.length) : name.indexOf(part, at);
      if (found < 0 || !name.startsWith(part, found) || (i === 0 && start.startsWith("^") && found !== 0)) return false;
      at = found + part.length;
    }
    return end === "" || at === name.length;
  };
}

function portRange(
  key: string,
  value: string,
): { readonly from: number; readonly to: number; readonly protocol: string } {
  const [, from, to = from, protocol = "tcp"] = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/.exec(value) ?? [];
  if (from === undefined || to === undefined || Number(from) > Number(to) || Number(to) > 65_535)
    throw invalidArgument(`Cannot filter containers by ${key}=${value}: it is not PORT[-PORT][/PROTOCOL]`);
  return { from: Number(from), to: Number(to), protocol };
}

const inRange = (port: number, { from, to }: { readonly from: number; readonly to: number }): boolean =>
  port >= from && port <= to;
