/** How operations and messages are declared; see declaration.ts. */

type FieldType = string;

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  /** Meaning and unit; becomes the field's comment. */
  readonly doc: string;
}

export interface Declared {
  readonly number: number;
  readonly name: string;
  readonly doc: string;
  readonly fields: readonly Field[];
}

export const f = (name: string, type: FieldType, doc: string): Field => ({ name, type, doc });

/** A message, and who reads it. */
export type Message = Declared & { readonly to: "keel" | "client" | "both" };
