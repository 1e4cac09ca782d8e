import type { DescEnum } from "@bufbuild/protobuf";
import { invalidArgument } from "#errdefs";

/** Refuses a request for a field of it, e.g. `refuse("make a pod sandbox", "config.metadata.name", "is missing")`. */
export function refuse(action: string, field: string, state: string, remedy?: string): never {
  throw invalidArgument(`Cannot ${action}: ${field} ${state}`, remedy === undefined ? {} : { remedy });
}

/** A value's name, or its number where it has none. */
export const enumName = (schema: DescEnum, value: number): string => schema.value[value]?.name ?? String(value);
