/** What happens to containers, images, volumes and pods, in Docker's words. */
import type { ExitStatus } from "#runtime";

export type EventType = "container" | "image" | "volume" | "network" | "pod" | "daemon";

export interface EngineEvent {
  readonly type: EventType;
  /** As Docker names it: `create`, `start`, `die`, `oom`, `health_status: healthy`, … */
  readonly action: string;
  /** Id of a container or pod, name of a volume, network or image. */
  readonly id: string;
  /** Of a container: `name`, `image` and its labels; what belongs to the action, such as `exitCode`. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Nanoseconds since the epoch. */
  readonly time: bigint;
}

/** Longer ones are cut, so that a record is one write that nothing comes between. */
const maxAttribute = 4096;

/** A line of the journal, without the newline. */
export function encodeEvent({ type, action, id, attributes, time }: EngineEvent): string {
  return JSON.stringify({ type, action, id, attributes: cut(attributes), time: String(time) });
}

/**
 * The two parts of a record that a container's monitor writes, between which it puts what it knows: of its start the time,
 * of its end what the file `exit` says, of kills for want of memory how many and when.
 */
export function monitorRecord(
  action: "start" | "die" | "oom",
  id: string,
  attributes: Readonly<Record<string, string>>,
): readonly [before: string, after: string] {
  const text = JSON.stringify({ type: "container", action, id, attributes: cut(attributes), told: "" });
  return [text.slice(0, -2), `${text.slice(-2)}\n`];
}

function cut(attributes: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(attributes).map(([k, v]) => [k, v.slice(0, maxAttribute)]));
}

/** Undefined for what is no record, as half of one that a full disk has left. */
export function decodeEvent(line: string): EngineEvent | undefined {
  let value: Partial<EngineEvent> & { readonly told?: string; readonly time?: unknown };
  try {
    value = (JSON.parse(line) ?? {}) as typeof value;
  } catch {
    return undefined;
  }
  const { type, action, id, attributes, told, time } = value;
  if (type === undefined || action === undefined || id === undefined || attributes === undefined) return undefined;
  if (told === undefined) return { type, action, id, attributes, time: BigInt(String(time)) };
  const numbers = told.split(" ");
  if (numbers.some((n) => !/^\d+$/.test(n))) return undefined;
  const nanoseconds = (at: number): bigint => BigInt(numbers[at] ?? 0) * 1_000_000_000n + BigInt(numbers[at + 1] ?? 0);
  if (action === "start") return { type, action, id, attributes, time: nanoseconds(0) };
  if (action === "oom")
    return { type, action, id, attributes: { ...attributes, kills: numbers[0] ?? "1" }, time: nanoseconds(1) };
  const [status = "0", signal = "0", oom = "0"] = numbers;
  return {
    type,
    action,
    id,
    attributes: {
      ...attributes,
      exitCode: status,
      ...(signal !== "0" && { signal }),
      ...(oom === "1" && { oomKilled: "true" }),
    },
    time: nanoseconds(3),
  };
}

/** How the container ended whose `die` this is. */
export function exitOf(event: EngineEvent): ExitStatus {
  return {
    status: Number(event.attributes["exitCode"] ?? 255),
    signal: Number(event.attributes["signal"] ?? 0),
    oomKilled: event.attributes["oomKilled"] === "true",
    at: Number(event.time / 1_000_000n),
  };
}
