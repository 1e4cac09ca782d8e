/** Signals by the CRI's numbers, which are its own. */
import { parseSignal } from "#engine";
import { Signal, SignalSchema } from "../../gen/runtime/v1/containers_pb.ts";
import { refuse } from "./check.ts";

/** As the system has it: `SIGTERM`, `SIGRTMIN+3`. */
const systemName = (name: string): string =>
  name
    .replace(/^SIGNAL_/, "")
    .replace(/PLUS(\d+)$/, "+$1")
    .replace(/MINUS(\d+)$/, "-$1");

const byNumber = new Map<number, Signal>();
for (const { name, number } of SignalSchema.values) {
  if (number === Signal.RUNTIME_DEFAULT) continue;
  const own = parseSignal(systemName(name));
  // Of several names for one the first is the usual one.
  if (!byNumber.has(own)) byNumber.set(own, number as Signal);
}

/** Undefined for the image's own, or the default one. */
export function signalName(field: string, signal: Signal): string | undefined {
  if (signal === Signal.RUNTIME_DEFAULT) return undefined;
  const value = SignalSchema.value[signal];
  return value === undefined ? refuse(field, signal, "there is no such signal") : systemName(value.name);
}

/** @param number of this system */
export const signalOf = (number: number): Signal => byNumber.get(number) ?? Signal.RUNTIME_DEFAULT;
