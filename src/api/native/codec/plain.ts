/**
 * The engine's plain data as messages and back. A field of a message is the property of the same name, so one rule serves
 * them all; properties that a message has no field for travel in its `more`, and are lost by none of the two sides.
 */
import {
  create,
  fromJson,
  toJson,
  type DescField,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  type Message,
  type MessageShape,
} from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { invalidArgument } from "#errdefs";

type Plain = Readonly<Record<string, unknown>>;

const structName = "google.protobuf.Struct";
const valueName = "google.protobuf.Value";
/** A list that may be absent: a message with the list as its one field. */
const listName = "sampan.v1.StringList";
const moreName = "more";

/** An object of the engine as a message. Sizes that may be numbers or texts become texts. */
export function toMessage<D extends DescMessage>(schema: D, plain: object): MessageShape<D> {
  const init: Record<string, unknown> = {};
  const more: Record<string, JsonValue> = {};
  for (const [name, value] of Object.entries(plain)) {
    if (value === undefined) continue;
    const field = Object.hasOwn(schema.field, name) && name !== moreName ? schema.field[name] : undefined;
    if (field === undefined) more[name] = asJson(value);
    else init[name] = fieldValue(field, value);
  }
  if (Object.keys(more).length > 0) {
    if (schema.field[moreName] === undefined) {
      throw invalidArgument(`Cannot send "${Object.keys(more).join(", ")}": ${schema.typeName} has no such field`);
    }
    init[moreName] = more;
  }
  return create(schema, init as never);
}

/** The same without what JSON has no word for. */
function asJson(value: unknown): JsonValue {
  return JSON.parse(JSON.stringify(value)) as JsonValue;
}

function fieldValue(field: DescField, value: unknown): unknown {
  switch (field.fieldKind) {
    case "list":
      return (value as readonly unknown[]).map((item) =>
        field.listKind === "message" ? messageValue(field.message, item) : scalar(field.scalar, item),
      );
    case "map":
      return Object.fromEntries(
        Object.entries(value as object).map(([key, item]) => [
          key,
          field.mapKind === "message" ? messageValue(field.message, item) : scalar(field.scalar, item),
        ]),
      );
    case "message":
      return messageValue(field.message, value);
    case "enum":
    case "scalar":
      return scalar(field.scalar, value);
  }
}

function messageValue(message: DescMessage, value: unknown): unknown {
  if (message.typeName === structName) return asJson(value);
  if (message.typeName === valueName) return fromJson(ValueSchema, asJson(value));
  if (message.typeName === listName) return { values: [...(value as readonly string[])] };
  return toMessage(message, value as object);
}

/** Numbers of descriptor.proto's `FieldDescriptorProto.Type`. */
const stringType = 9;
const bigTypes: ReadonlySet<number> = new Set([3, 4, 6, 16, 18]);

function scalar(type: number | undefined, value: unknown): unknown {
  if (type === stringType) return String(value);
  if (type !== undefined && bigTypes.has(type)) return BigInt(value as number);
  return value;
}

/**
 * A message as an object of the engine. What is not set in it is not there, and neither are empty lists and maps.
 *
 * @throws SampanError `invalid-argument` for a property of `more` that has a field of its own
 */
export function toPlain<D extends DescMessage>(schema: D, message: MessageShape<D>): Plain {
  const plain: Record<string, unknown> = {};
  const values = message as unknown as Plain;
  for (const field of schema.fields) {
    const value = values[field.localName];
    if (field.localName !== moreName && isPresent(field, value)) plain[field.localName] = plainValue(field, value);
  }
  for (const [name, value] of Object.entries((values[moreName] as JsonObject | undefined) ?? {})) {
    // Two values for one name: whoever checks the one would let the other pass.
    if (Object.hasOwn(schema.field, name) || name === "__proto__")
      throw invalidArgument(`Cannot read ${schema.typeName}: "${name}" is not a field of "more"`);
    plain[name] = value;
  }
  return plain;
}

/** Lists and maps that are empty count as absent. */
function isPresent(field: DescField, value: unknown): boolean {
  if (field.fieldKind === "list") return (value as readonly unknown[]).length > 0;
  if (field.fieldKind === "map") return Object.keys(value as object).length > 0;
  return value !== undefined;
}

function plainValue(field: DescField, value: unknown): unknown {
  switch (field.fieldKind) {
    case "list":
      return field.listKind === "message"
        ? (value as readonly Message[]).map((item) => plainMessage(field.message, item))
        : value;
    case "map":
      return { ...(value as object) };
    case "message":
      return plainMessage(field.message, value);
    case "enum":
    case "scalar":
      return typeof value === "bigint" ? Number(value) : value;
  }
}

function plainMessage(schema: DescMessage, value: unknown): unknown {
  if (schema.typeName === structName) return value;
  if (schema.typeName === valueName) return toJson(ValueSchema, value as never);
  if (schema.typeName === listName) return (value as { readonly values: readonly string[] }).values;
  return toPlain(schema, value as never);
}
