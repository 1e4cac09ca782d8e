/** How `events` prints an event: Docker's line, its JSON, or a template over that. */
import type { EngineEvent } from "#engine";
import { compileTemplate } from "./format/template.ts";
import { json } from "./format/values.ts";

export function eventPrinter(format: string | undefined): (event: EngineEvent) => string {
  if (format === undefined) return line;
  if (format === "json") return (event) => json(fields(event));
  const template = compileTemplate(format);
  return (event) => template(fields(event));
}

/** In the words of Docker's API. */
function fields({ type, action, id, attributes, time }: EngineEvent): Readonly<Record<string, unknown>> {
  return {
    Type: type,
    Action: action,
    Actor: { ID: id, Attributes: attributes },
    ID: id,
    Status: action,
    scope: "local",
    time: Number(time / 1_000_000_000n),
    timeNano: time,
  };
}

function line({ type, action, id, attributes, time }: EngineEvent): string {
  const seconds = new Date(Number(time / 1_000_000n)).toISOString().slice(0, 19);
  const fraction = String(time % 1_000_000_000n).padStart(9, "0");
  const names = Object.keys(attributes).toSorted();
  const list = names.map((name) => `${name}=${attributes[name]}`).join(", ");
  return `${seconds}.${fraction}Z ${type} ${action} ${id}${list === "" ? "" : ` (${list})`}`;
}
