/** A compiled template, and its execution over one value. */
import { arity, functions } from "./functions.ts";
import { parseTemplate, type Block, type Command, type Node, type Operand, type Pipe } from "./parse.ts";
import { entriesOf, fieldOf, formatError, isList, isTrue, show, type Method } from "./values.ts";

const names: ReadonlySet<string> = new Set([...functions.keys(), "and", "or"]);

/** Turns a value into text. Throws `invalid-argument` when a field is not there or an argument is of the wrong kind. */
export type Template = (data: unknown) => string;

/** @throws SampanError `invalid-argument` with the place of the fault */
export function compileTemplate(text: string): Template {
  const block = parseTemplate(text, names);
  return (data) => {
    const execution = new Execution(data);
    execution.block(block, data);
    return execution.output;
  };
}

class Leave {
  readonly kind: "break" | "continue";

  constructor(kind: "break" | "continue") {
    this.kind = kind;
  }
}

class Execution {
  output = "";
  /** Innermost last. */
  readonly #variables: { readonly name: string; value: unknown }[];

  constructor(data: unknown) {
    this.#variables = [{ name: "$", value: data }];
  }

  block(block: Block, dot: unknown): Leave | undefined {
    const depth = this.#variables.length;
    try {
      for (const node of block) {
        const leave = this.#node(node, dot);
        if (leave !== undefined) return leave;
      }
      return undefined;
    } finally {
      this.#variables.length = depth;
    }
  }

  #node(node: Node, dot: unknown): Leave | undefined {
    switch (node.kind) {
      case "text":
        this.output += node.text;
        return undefined;
      case "output":
        this.output += show(this.#pipe(node.pipe, dot));
        return undefined;
      case "set": {
        const value = this.#pipe(node.pipe, dot);
        if (node.declare) this.#variables.push({ name: node.name, value });
        else this.#variable(node.name).value = value;
        return undefined;
      }
      case "break":
      case "continue":
        return new Leave(node.kind);
      case "range":
        return this.#range(node, dot);
      case "if":
      case "with": {
        const depth = this.#variables.length;
        const value = this.#pipe(node.pipe, dot);
        if (node.name !== undefined) this.#variables.push({ name: node.name, value });
        const leave = isTrue(value)
          ? this.block(node.body, node.kind === "with" ? value : dot)
          : this.block(node.otherwise, dot);
        this.#variables.length = depth;
        return leave;
      }
    }
  }

  #range(node: Extract<Node, { kind: "range" }>, dot: unknown): Leave | undefined {
    const value = this.#pipe(node.pipe, dot);
    const elements = elementsOf(value);
    if (elements.length === 0) return this.block(node.otherwise, dot);
    for (const [key, element] of elements) {
      const depth = this.#variables.length;
      const [first, second] = node.names;
      if (second !== undefined)
        this.#variables.push({ name: first ?? "", value: key }, { name: second, value: element });
      else if (first !== undefined) this.#variables.push({ name: first, value: element });
      const leave = this.block(node.body, element);
      this.#variables.length = depth;
      if (leave?.kind === "break") break;
    }
    return undefined;
  }

  #variable(name: string): { value: unknown } {
    const found = this.#variables.findLast((v) => v.name === name);
    if (found === undefined) throw formatError(`variable ${name} is not set`);
    return found;
  }

  #pipe(pipe: Pipe, dot: unknown): unknown {
    let last: readonly [unknown] | readonly [] = [];
    for (const command of pipe) last = [this.#command(command, dot, last)];
    return last[0];
  }

  #command({ operands }: Command, dot: unknown, last: readonly unknown[]): unknown {
    const [first, ...rest] = operands as readonly [Operand, ...Operand[]];
    if (first.kind === "function") return this.#call(first.name, rest, dot, last);
    const value = this.#operand(first, dot);
    if (typeof value === "function") {
      const given = [...rest.map((o) => this.#value(o, dot)), ...last];
      return (value as Method)(...given);
    }
    if (rest.length > 0 || last.length > 0) throw formatError(`${show(value)} is no function, and takes no arguments`);
    return value;
  }

  #call(name: string, operands: readonly Operand[], dot: unknown, last: readonly unknown[]): unknown {
    const count = operands.length + last.length;
    const [least, most] = arity.get(name) ?? [0, Infinity];
    if (count < least || count > most)
      throw formatError(
        `${name} takes ${least === most ? least : `at least ${least}`} arguments, and was given ${count}`,
      );
    if (name === "and" || name === "or") {
      let value: unknown;
      for (let at = 0; at < count; at += 1) {
        const operand = operands[at];
        value = operand === undefined ? last[0] : this.#value(operand, dot);
        if (isTrue(value) === (name === "or")) return value;
      }
      return value;
    }
    return functions.get(name)?.(...operands.map((o) => this.#value(o, dot)), ...last);
  }

  /** A value to be given on: a function without arguments is called. */
  #value(operand: Operand, dot: unknown): unknown {
    if (operand.kind === "function") return this.#call(operand.name, [], dot, []);
    const value = this.#operand(operand, dot);
    return typeof value === "function" ? (value as Method)() : value;
  }

  #operand(operand: Operand, dot: unknown): unknown {
    switch (operand.kind) {
      case "value":
        return operand.value;
      case "function":
        return this.#call(operand.name, [], dot, []);
      case "pipe":
        return fieldsOf(this.#pipe(operand.pipe, dot), operand.fields);
      case "path":
        return fieldsOf(operand.head === "" ? dot : this.#variable(operand.head).value, operand.fields);
    }
  }
}

function fieldsOf(value: unknown, fields: readonly string[]): unknown {
  return fields.reduce((of: unknown, name) => {
    if (of === undefined || of === null) throw formatError(`there is nothing that .${name} could be a field of`);
    return fieldOf(typeof of === "function" ? (of as Method)() : of, name);
  }, value);
}

/** Numbers count, as in Go 1.22. */
const maxCount = 1_000_000;

function elementsOf(value: unknown): (readonly [unknown, unknown])[] {
  if (value === undefined || value === null) return [];
  if (isList(value)) return value.map((element, index) => [index, element]);
  if (typeof value === "number" && Number.isInteger(value) && value <= maxCount)
    return Array.from({ length: Math.max(0, value) }, (_, i) => [i, i]);
  const entries = entriesOf(value);
  if (entries === undefined) throw formatError(`range can't go over ${show(value)}`);
  return entries;
}
