/** The C side of the wire: structures, decoder of requests, encoder of replies. */
import { maxFrame, messages, operations, structs, version, type Field } from "./declaration.ts";
import { cName, isStruct, listItem, snake } from "./types.ts";

const header = "/* Generated from native/keel/wire/declaration.ts by `npm run generate`. Do not edit. */\n";
const requests = messages.filter((m) => m.to !== "client");
const replies = messages.filter((m) => m.to !== "keel");

const plain: Record<string, string> = {
  u8: "uint8_t",
  u16: "uint16_t",
  u32: "uint32_t",
  i32: "int32_t",
  u64: "uint64_t",
  i64: "int64_t",
  bool: "bool",
  string: "const char *",
  bytes: "struct wire_bytes",
};

function cType(type: string): string {
  if (type === "operations") return "struct wire_program";
  const item = listItem(type);
  if (item !== undefined) return `struct wire_list_${snake(item)}`;
  return plain[type] ?? `struct wire_${snake(type)}`;
}

const declare = (x: Field): string => {
  const type = cType(x.type);
  return `\t${type}${type.endsWith("*") ? "" : " "}${cName(x.name)}; /* ${x.doc} */\n`;
};

const body = (fields: readonly Field[]): string =>
  fields.length === 0 ? "\tchar empty; /* no fields */\n" : fields.map(declare).join("");

const lists = [
  ...new Set(
    [...operations, ...requests, ...replies].flatMap((d) =>
      d.fields.map((x) => listItem(x.type)).filter((x) => x !== undefined),
    ),
  ),
];

export function cHeader(): string {
  let out = `${header}#ifndef KEEL_WIRE_GEN_H\n#define KEEL_WIRE_GEN_H\n\n#include "wire.h"\n\n`;
  out += `#define WIRE_VERSION ${version}u\n#define WIRE_MAX_FRAME ${maxFrame}u\n\n`;
  for (const s of structs) out += `/* ${s.doc} */\nstruct wire_${snake(s.name)} {\n${body(s.fields)}};\n\n`;
  for (const item of lists) {
    const type = cType(item);
    out += `struct wire_list_${snake(item)} {\n\t${type}${type.endsWith("*") ? "*" : " *"}items;\n\tuint32_t count;\n};\n\n`;
  }
  out +=
    "enum wire_operation_number {\n" +
    operations.map((d) => `\tOP_${snake(d.name).toUpperCase()} = ${d.number},\n`).join("") +
    "};\n\n";
  for (const d of operations) out += `/* ${d.doc} */\nstruct op_${snake(d.name)} {\n${body(d.fields)}};\n\n`;
  out +=
    "struct wire_operation {\n\tuint16_t number; /* enum wire_operation_number */\n\tunion {\n" +
    operations.map((d) => `\t\tstruct op_${snake(d.name)} ${snake(d.name)};\n`).join("") +
    "\t} u;\n};\n\n";
  out += "struct wire_program {\n\tstruct wire_operation *items;\n\tuint32_t count;\n};\n\n";
  out +=
    "enum wire_message_number {\n" +
    messages.map((d) => `\tMSG_${snake(d.name).toUpperCase()} = ${d.number},\n`).join("") +
    "};\n\n";
  for (const d of requests) out += `/* ${d.doc} */\nstruct msg_${snake(d.name)} {\n${body(d.fields)}};\n\n`;
  out +=
    "struct wire_message {\n\tuint32_t request;\n\tuint16_t kind; /* enum wire_message_number */\n\tunion {\n" +
    requests.map((d) => `\t\tstruct msg_${snake(d.name)} ${snake(d.name)};\n`).join("") +
    "\t} u;\n};\n\n";
  out +=
    "/* Name of an operation as the plan prints it, or NULL. */\nconst char *wire_operation_name(uint16_t number);\n\n";
  out +=
    "/*\n * Decodes a frame's content after its length: request id, kind, fields. False when it is malformed or of an\n * unknown kind; `out` then still has the request id when that much was there. Strings and bytes point into the\n * frame, lists into the arena.\n */\n";
  out +=
    "bool wire_decode_message(const uint8_t *data, size_t size, struct wire_arena *arena, struct wire_message *out);\n\n";
  out += "/* Each writes one whole frame, length included. */\n";
  for (const d of replies) out += `${encoderSignature(d.name, d.fields)};\n`;
  return `${out}\n#endif\n`;
}

function encoderSignature(name: string, fields: readonly Field[]): string {
  const args = fields.map((x) => {
    const type = cType(x.type);
    return `, ${type}${type.endsWith("*") ? "" : " "}${cName(x.name)}`;
  });
  return `void wire_encode_${snake(name)}(struct wire_writer *w, uint32_t request${args.join("")})`;
}

function decodeInto(type: string, target: string): string {
  const item = listItem(type);
  if (type === "operations") return `\tdecode_program(r, &${target});\n`;
  if (item !== undefined) return `\tdecode_list_${snake(item)}(r, &${target});\n`;
  if (isStruct(type)) return `\tdecode_${snake(type)}(r, &${target});\n`;
  return `\t${target} = wire_read_${type}(r);\n`;
}

export function cDecoder(): string {
  let out = `${header}#include "wire.gen.h"\n\n`;
  const decoded = new Set<string>();
  const inRequests = [...operations, ...requests].flatMap((d) => d.fields.map((x) => x.type));
  for (const s of structs) {
    if (!inRequests.some((t) => t === s.name || listItem(t) === s.name)) continue;
    decoded.add(s.name);
    out += `static void decode_${snake(s.name)}(struct wire_reader *r, struct wire_${snake(s.name)} *v)\n{\n${s.fields.map((x) => decodeInto(x.type, `v->${cName(x.name)}`)).join("")}}\n\n`;
  }
  for (const item of lists) {
    if (isStruct(item) && !decoded.has(item)) continue;
    const n = snake(item);
    out += `static void decode_list_${n}(struct wire_reader *r, struct wire_list_${n} *v)\n{\n\tv->items = wire_read_list(r, sizeof(*v->items), &v->count);\n\tfor (uint32_t i = 0; i < v->count && !r->failed; i++) {\n\t${decodeInto(item, "v->items[i]")}\t}\n}\n\n`;
  }
  for (const d of operations) {
    if (d.fields.length === 0) continue;
    out += `static void decode_op_${snake(d.name)}(struct wire_reader *r, struct op_${snake(d.name)} *v)\n{\n${d.fields.map((x) => decodeInto(x.type, `v->${cName(x.name)}`)).join("")}}\n\n`;
  }
  out +=
    "static void decode_program(struct wire_reader *r, struct wire_program *v)\n{\n\tv->items = wire_read_list(r, sizeof(*v->items), &v->count);\n\tfor (uint32_t i = 0; i < v->count && !r->failed; i++) {\n\t\tstruct wire_operation *o = &v->items[i];\n\t\to->number = wire_read_u16(r);\n\t\tswitch (o->number) {\n";
  for (const d of operations)
    out += `\t\tcase OP_${snake(d.name).toUpperCase()}:\n${d.fields.length === 0 ? "" : `\t\t\tdecode_op_${snake(d.name)}(r, &o->u.${snake(d.name)});\n`}\t\t\tbreak;\n`;
  out += "\t\tdefault:\n\t\t\tr->failed = true;\n\t\t}\n\t}\n}\n\n";
  for (const d of requests) {
    if (d.fields.length === 0) continue;
    out += `static void decode_msg_${snake(d.name)}(struct wire_reader *r, struct msg_${snake(d.name)} *v)\n{\n${d.fields.map((x) => decodeInto(x.type, `v->${cName(x.name)}`)).join("")}}\n\n`;
  }
  out +=
    "bool wire_decode_message(const uint8_t *data, size_t size, struct wire_arena *arena, struct wire_message *out)\n{\n\tstruct wire_reader reader = { .next = data, .end = data + size, .arena = arena };\n\tstruct wire_reader *r = &reader;\n\tmemset(out, 0, sizeof(*out));\n\tout->request = wire_read_u32(r);\n\tout->kind = wire_read_u16(r);\n\tif (r->failed)\n\t\treturn false;\n\tswitch (out->kind) {\n";
  for (const d of requests)
    out += `\tcase MSG_${snake(d.name).toUpperCase()}:\n${d.fields.length === 0 ? "" : `\t\tdecode_msg_${snake(d.name)}(r, &out->u.${snake(d.name)});\n`}\t\tbreak;\n`;
  out += "\tdefault:\n\t\treturn false;\n\t}\n\treturn !r->failed && r->next == r->end;\n}\n\n";
  for (const d of replies) {
    out += `${encoderSignature(d.name, d.fields)}\n{\n\tsize_t start = wire_begin(w, request, MSG_${snake(d.name).toUpperCase()});\n`;
    for (const x of d.fields) out += encodeField(x);
    out += "\twire_finish(w, start);\n}\n\n";
  }
  out += "const char *wire_operation_name(uint16_t number)\n{\n\tswitch (number) {\n";
  for (const d of operations) out += `\tcase OP_${snake(d.name).toUpperCase()}:\n\t\treturn "${d.name}";\n`;
  return `${out}\tdefault:\n\t\treturn NULL;\n\t}\n}\n`;
}

function encodeField(x: Field): string {
  const item = listItem(x.type);
  const name = cName(x.name);
  if (item === undefined) return `\twire_write_${x.type}(w, ${name});\n`;
  let out = `\twire_write_u32(w, ${name}.count);\n\tfor (uint32_t i = 0; i < ${name}.count; i++) {\n`;
  const struct = structs.find((s) => s.name === item);
  if (struct === undefined) out += `\t\twire_write_${item}(w, ${name}.items[i]);\n`;
  else for (const y of struct.fields) out += `\t\twire_write_${y.type}(w, ${name}.items[i].${snake(y.name)});\n`;
  return `${out}\t}\n`;
}
