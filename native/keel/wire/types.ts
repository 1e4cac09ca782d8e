/** Reading the declaration's type names. */
import { structs } from "./declaration.ts";

export const scalars = new Set(["u8", "u16", "u32", "i32", "u64", "i64", "bool", "string", "bytes"]);

export function listItem(type: string): string | undefined {
  return /^list<(\w+)>$/.exec(type)?.[1];
}

export function isStruct(type: string): boolean {
  return structs.some((s) => s.name === type);
}

export const pascal = (name: string): string => name.replace(/(^|-)(\w)/g, (_, __, c: string) => c.toUpperCase());
export const snake = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll("-", "_")
    .toLowerCase();

/** A field's name in C: `errno` is a macro there. */
export const cName = (name: string): string => (name === "errno" ? "error" : snake(name));
