/** Writes the fuzzer's first inputs: one frame for each request, and an `execute` of each operation alone and of all. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messages, operations, structs, type Field } from "./declaration.ts";
import { listItem } from "./types.ts";

const number = (size: number, value: number | bigint): Buffer => {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt(value));
  return buffer.subarray(0, size);
};
const widths = new Map([
  ["u8", 1],
  ["bool", 1],
  ["u16", 2],
  ["u32", 4],
  ["i32", 4],
  ["u64", 8],
  ["i64", 8],
]);

function encode(type: string): Buffer {
  const width = widths.get(type);
  if (width !== undefined) return number(width, 1);
  if (type === "string") return Buffer.concat([number(4, 2), Buffer.from("/a\0")]);
  if (type === "bytes") return Buffer.concat([number(4, 8), Buffer.alloc(8, 1)]);
  if (type === "operations") return program(operations.slice(0, 2));
  const item = listItem(type);
  if (item !== undefined) return Buffer.concat([number(4, 2), encode(item), encode(item)]);
  return encodeAll(structs.find((s) => s.name === type)?.fields ?? []);
}

const encodeAll = (fields: readonly Field[]): Buffer => Buffer.concat(fields.map((x) => encode(x.type)));

function program(list: typeof operations): Buffer {
  return Buffer.concat([number(4, list.length), ...list.flatMap((d) => [number(2, d.number), encodeAll(d.fields)])]);
}

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error("Usage: seeds.ts DIRECTORY");
mkdirSync(directory, { recursive: true });
const head = (kind: number): Buffer => Buffer.concat([number(4, 1), number(2, kind)]);
for (const m of messages) writeFileSync(join(directory, m.name), Buffer.concat([head(m.number), encodeAll(m.fields)]));
for (const o of operations)
  writeFileSync(join(directory, `operation-${o.name}`), Buffer.concat([head(1), program([o])]));
writeFileSync(join(directory, "operations"), Buffer.concat([head(1), program(operations)]));
