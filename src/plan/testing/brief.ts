import type { Operation } from "../operation.gen.ts";
import type { Step } from "../plan.ts";

/** Operations as one line each, with all their fields, so that a test can show a whole plan. */
export const briefly = (operations: readonly Operation[]): string[] => operations.map(brief);

export const brieflySteps = (steps: readonly Step[]): string[] => steps.map(({ operation }) => brief(operation));

function brief(operation: Operation): string {
  const fields = Object.entries(operation)
    .filter(([name]) => name !== "op")
    .map(([name, value]) => `${name}=${text(name, value)}`);
  return [operation.op, ...fields].join(" ");
}

function text(name: string, value: unknown): string {
  if (typeof value === "bigint") return value === 0n ? "0" : `0x${value.toString(16)}`;
  if (value instanceof Uint8Array) return `<${value.length} bytes>`;
  if (Array.isArray(value)) return `[${value.map((item) => text("", item)).join(" ")}]`;
  if (typeof value === "number") return name === "mode" || name === "umask" ? `0${value.toString(8)}` : String(value);
  if (typeof value === "object" && value !== null) return Object.values(value).map(String).join(":");
  return typeof value === "string" && /[ =]|^$/.test(value) ? JSON.stringify(value) : String(value);
}
