/** The TypeScript side of the wire: types for the plan, encoder and decoder for the client. */
import { maxFrame, messages, operations, structs, type Declared, type Field } from "./declaration.ts";
import { listItem, pascal, scalars } from "./types.ts";

const header = "// Generated from native/keel/wire/declaration.ts by `npm run generate`. Do not edit.\n\n";

function tsType(type: string): string {
  const item = listItem(type);
  if (item !== undefined) return `readonly ${tsType(item)}[]`;
  if (type === "operations") return "readonly Operation[]";
  if (type === "string") return "string";
  if (type === "bytes") return "Uint8Array";
  if (type === "bool") return "boolean";
  if (type === "u64" || type === "i64") return "bigint";
  return scalars.has(type) ? "number" : type;
}

const members = (fields: readonly Field[]): string =>
  fields.map((x) => `  /** ${x.doc} */\n  readonly ${x.name}: ${tsType(x.type)};\n`).join("");

function union(name: string, tag: string, list: readonly Declared[], prefix: string): string {
  const parts = list.map(
    (d) =>
      `/** ${d.doc} */\nexport interface ${prefix}${pascal(d.name)} {\n  readonly ${tag}: "${d.name}";\n${members(d.fields)}}\n\n`,
  );
  return `${parts.join("")}export type ${name} =\n${list.map((d) => `  | ${prefix}${pascal(d.name)}`).join("\n")};\n\n`;
}

export function tsTypes(): string {
  let out = header;
  for (const s of structs) out += `/** ${s.doc} */\nexport interface ${s.name} {\n${members(s.fields)}}\n\n`;
  out += "/** One step of a container's program, as keel executes it. */\n";
  out += union("Operation", "op", operations, "Operation");
  out += union(
    "Request",
    "kind",
    messages.filter((m) => m.to !== "client"),
    "Request",
  );
  out += union(
    "Reply",
    "kind",
    messages.filter((m) => m.to !== "keel"),
    "Reply",
  );
  return out;
}

function encode(type: string, value: string): string {
  const item = listItem(type);
  if (item !== undefined) return `w.u32(${value}.length);\nfor (const item of ${value}) { ${encode(item, "item")} }\n`;
  if (type === "operations") return `w.u32(${value}.length);\nfor (const item of ${value}) encodeOperation(w, item);\n`;
  if (scalars.has(type)) return `w.${type}(${value});\n`;
  return `encode${type}(w, ${value});\n`;
}

function decode(type: string): string {
  const item = listItem(type);
  if (item !== undefined) return `r.list(() => (${decode(item)}))`;
  if (scalars.has(type)) return `r.${type}()`;
  return `decode${type}(r)`;
}

const decodeObject = (fields: readonly Field[], tag = ""): string =>
  `{ ${tag}${fields.map((x) => `${x.name}: ${decode(x.type)}`).join(", ")} }`;

export function tsCodec(): string {
  const usedByReply = new Set(
    messages.filter((m) => m.to !== "keel").flatMap((m) => m.fields.map((x) => listItem(x.type) ?? x.type)),
  );
  const usedByRequest = new Set(
    [...operations, ...messages.filter((m) => m.to !== "client")].flatMap((d) =>
      d.fields.map((x) => listItem(x.type) ?? x.type),
    ),
  );
  let out = header;
  out += `import type { ${structs.map((s) => s.name).join(", ")}, Operation, Reply, Request } from "#plan";\n`;
  out += 'import type { Reader, Writer } from "./wire.ts";\n\n';
  out += `export const maxFrame = ${maxFrame};\n\n`;
  for (const s of structs) {
    if (usedByRequest.has(s.name))
      out += `function encode${s.name}(w: Writer, v: ${s.name}): void {\n${s.fields.map((x) => encode(x.type, `v.${x.name}`)).join("")}}\n\n`;
    if (usedByReply.has(s.name))
      out += `function decode${s.name}(r: Reader): ${s.name} {\n  return ${decodeObject(s.fields)};\n}\n\n`;
  }
  out = out.replace(/import type \{ ([^}]*) \} from "#plan"/, (_, names: string) => {
    const used = names.split(", ").filter((n) => !structs.some((s) => s.name === n) || out.includes(`: ${n}`));
    return `import type { ${used.join(", ")} } from "#plan"`;
  });
  out += "export function encodeOperation(w: Writer, v: Operation): void {\n  switch (v.op) {\n";
  for (const d of operations)
    out += `case "${d.name}":\nw.u16(${d.number});\n${d.fields.map((x) => encode(x.type, `v.${x.name}`)).join("")}return;\n`;
  out += "  }\n}\n\n";
  out += "/** Writes the message's number and fields; the frame around it is the caller's. */\n";
  out += "export function encodeRequest(w: Writer, v: Request): void {\n  switch (v.kind) {\n";
  for (const d of messages.filter((m) => m.to !== "client"))
    out += `case "${d.name}":\nw.u16(${d.number});\n${d.fields.map((x) => encode(x.type, `v.${x.name}`)).join("")}return;\n`;
  out += "  }\n}\n\n";
  out += "/** Undefined for a message number that this version does not know. */\n";
  out += "export function decodeReply(kind: number, r: Reader): Reply | undefined {\n  switch (kind) {\n";
  for (const d of messages.filter((m) => m.to !== "keel"))
    out += `case ${d.number}:\nreturn ${decodeObject(d.fields, `kind: "${d.name}", `)};\n`;
  out += "default: return undefined;\n  }\n}\n";
  return out;
}
