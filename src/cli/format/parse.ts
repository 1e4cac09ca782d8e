/** Templates in the language of Go's text/template: what Docker's `--format` takes. */
import { splitTemplate, templateError, type Piece, type Token } from "./lexer.ts";

export type Node =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "output"; readonly pipe: Pipe }
  | { readonly kind: "set"; readonly name: string; readonly declare: boolean; readonly pipe: Pipe }
  | {
      readonly kind: "if" | "with";
      readonly pipe: Pipe;
      readonly body: Block;
      readonly otherwise: Block;
      readonly name?: string;
    }
  | {
      readonly kind: "range";
      /** Variables of the index and the element; with one name, that of the element. */
      readonly names: readonly string[];
      readonly pipe: Pipe;
      readonly body: Block;
      readonly otherwise: Block;
    }
  | { readonly kind: "break" | "continue" };

export type Block = readonly Node[];

/** Commands, each of which gets what the one before it gave as its last argument. */
export type Pipe = readonly Command[];

export interface Command {
  readonly operands: readonly Operand[];
  readonly at: number;
}

export type Operand =
  | { readonly kind: "value"; readonly value: string | number | boolean | null }
  | { readonly kind: "path"; readonly head: string; readonly fields: readonly string[]; readonly at: number }
  | { readonly kind: "function"; readonly name: string; readonly at: number }
  | { readonly kind: "pipe"; readonly pipe: Pipe; readonly fields: readonly string[]; readonly at: number };

/** Deeper nesting is refused. */
const maxDepth = 100;

/**
 * @param functions names that may be called
 * @throws SampanError `invalid-argument` with the place of the fault
 */
export function parseTemplate(template: string, functions: ReadonlySet<string>): Block {
  return new Parser(template, functions).parse();
}

class Parser {
  readonly #template: string;
  readonly #functions: ReadonlySet<string>;
  readonly #pieces: readonly Piece[];
  #at = 0;

  constructor(template: string, functions: ReadonlySet<string>) {
    this.#template = template;
    this.#functions = functions;
    this.#pieces = splitTemplate(template);
  }

  parse(): Block {
    const { body, end } = this.#block(0, false);
    if (end !== undefined) this.#fail(end.at, `there is nothing for {{${end.word}}} to end`);
    return body;
  }

  #fail(at: number, problem: string): never {
    throw templateError(this.#template, at, problem);
  }

  /** Up to its `end` or `else`, which is given back. */
  #block(
    depth: number,
    loop: boolean,
  ): { body: Node[]; end: { word: "end" | "else"; at: number; rest: readonly Token[] } | undefined } {
    if (depth > maxDepth) this.#fail(0, "it is nested too deeply");
    const body: Node[] = [];
    for (;;) {
      const piece = this.#pieces[this.#at++];
      if (piece === undefined) return { body, end: undefined };
      if (piece.kind === "text") {
        body.push(piece);
        continue;
      }
      const [first, ...rest] = piece.tokens;
      if (first === undefined) this.#fail(piece.at, "an action is empty");
      const word = first.kind === "word" ? first.text : "";
      if (word === "end" || word === "else") return { body, end: { word, at: piece.at, rest } };
      if (word === "if" || word === "with" || word === "range")
        body.push(this.#control(word, rest, piece.at, depth, loop));
      else if (word === "break" || word === "continue") {
        if (!loop || rest.length > 0) this.#fail(piece.at, `{{${word}}} may only stand inside {{range}}`);
        body.push({ kind: word });
      } else if (word === "define" || word === "template" || word === "block")
        this.#fail(piece.at, `{{${word}}} is not known here`);
      else body.push(this.#action(piece.tokens, piece.at));
    }
  }

  #control(word: "if" | "with" | "range", tokens: readonly Token[], at: number, depth: number, loop: boolean): Node {
    const { names, rest } = this.#declaration(tokens, word === "range" ? 2 : 1);
    const pipe = this.#pipe(rest, at);
    const { body, end } = this.#block(depth + 1, loop || word === "range");
    if (end === undefined) this.#fail(at, `{{${word}}} has no {{end}}`);
    let otherwise: readonly Node[] = [];
    if (end.word === "else") {
      const [next, ...condition] = end.rest;
      if (next !== undefined) {
        if (next.kind !== "word" || (next.text !== "if" && next.text !== "with") || word === "range")
          this.#fail(end.at, "only if may stand behind else");
        otherwise = [this.#control(next.text, condition, end.at, depth + 1, loop)];
      } else {
        const last = this.#block(depth + 1, loop);
        if (last.end === undefined || last.end.word === "else") this.#fail(at, `{{${word}}} has no {{end}}`);
        otherwise = last.body;
      }
    } else if (end.rest.length > 0) this.#fail(end.at, "nothing may stand behind end");
    if (word === "range") return { kind: "range", names, pipe, body, otherwise };
    return { kind: word, pipe, body, otherwise, ...(names[0] !== undefined && { name: names[0] }) };
  }

  /** `$x :=` or `$i, $x :=` in front of a pipeline. */
  #declaration(tokens: readonly Token[], most: number): { names: string[]; rest: readonly Token[] } {
    const assign = tokens.findIndex((t) => t.kind === "sign" && t.text === ":=");
    if (assign < 0) return { names: [], rest: tokens };
    const names: string[] = [];
    tokens.slice(0, assign).forEach((token, index) => {
      const comma = index % 2 === 1;
      if (comma ? token.kind === "sign" && token.text === "," : isVariable(token)) {
        if (!comma) names.push((token as { head: string }).head);
      } else this.#fail(token.at, "only variables may stand before :=");
    });
    if (names.length === 0 || names.length > most) this.#fail(tokens[0]?.at ?? 0, "so many variables can't be set");
    return { names, rest: tokens.slice(assign + 1) };
  }

  #action(tokens: readonly Token[], at: number): Node {
    const [first, second] = tokens;
    if (
      first !== undefined &&
      isVariable(first) &&
      second?.kind === "sign" &&
      (second.text === ":=" || second.text === "=")
    )
      return {
        kind: "set",
        name: (first as { head: string }).head,
        declare: second.text === ":=",
        pipe: this.#pipe(tokens.slice(2), at),
      };
    return { kind: "output", pipe: this.#pipe(tokens, at) };
  }

  #pipe(tokens: readonly Token[], at: number): Pipe {
    const reader = { tokens, at: 0 };
    const pipe = this.#pipeline(reader, at, 0);
    const left = tokens[reader.at];
    if (left !== undefined) this.#fail(left.at, "a parenthesis or operand is not expected");
    return pipe;
  }

  #pipeline(reader: { readonly tokens: readonly Token[]; at: number }, at: number, depth: number): Pipe {
    if (depth > maxDepth) this.#fail(at, "it is nested too deeply");
    const commands: Command[] = [];
    for (;;) {
      const operands: Operand[] = [];
      const begin = reader.tokens[reader.at]?.at ?? at;
      let token = reader.tokens[reader.at];
      for (; token !== undefined; token = reader.tokens[reader.at]) {
        if (token.kind === "sign" && token.text !== "(") break;
        reader.at += 1;
        operands.push(this.#operand(token, reader, depth));
      }
      if (operands.length === 0) this.#fail(begin, "a value is missing");
      const [first] = operands;
      if (commands.length > 0 && first?.kind === "value") this.#fail(begin, "only a function may stand behind |");
      if (operands.length > 1 && first?.kind === "value") this.#fail(begin, "a value can't be called");
      commands.push({ operands, at: begin });
      if (token?.kind === "sign" && token.text === "|") {
        reader.at += 1;
        continue;
      }
      return commands;
    }
  }

  #operand(token: Token, reader: { readonly tokens: readonly Token[]; at: number }, depth: number): Operand {
    switch (token.kind) {
      case "string":
        return { kind: "value", value: token.text };
      case "number":
        return { kind: "value", value: token.value };
      case "path":
        return { kind: "path", head: token.head, fields: token.fields, at: token.at };
      case "word":
        if (token.text === "true" || token.text === "false") return { kind: "value", value: token.text === "true" };
        if (token.text === "nil") return { kind: "value", value: null };
        if (!this.#functions.has(token.text)) this.#fail(token.at, `function "${token.text}" is not known`);
        return { kind: "function", name: token.text, at: token.at };
      case "sign": {
        const pipe = this.#pipeline(reader, token.at, depth + 1);
        const close = reader.tokens[reader.at];
        if (close?.kind !== "sign" || close.text !== ")") this.#fail(token.at, "a parenthesis is not closed");
        reader.at += 1;
        const next = reader.tokens[reader.at];
        if (next?.kind !== "path" || next.apart || next.head !== "")
          return { kind: "pipe", pipe, fields: [], at: token.at };
        reader.at += 1;
        return { kind: "pipe", pipe, fields: next.fields, at: token.at };
      }
    }
  }
}

const isVariable = (token: Token): boolean =>
  token.kind === "path" && token.head.length > 1 && token.fields.length === 0;
