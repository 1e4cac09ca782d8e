/** Words of a template: text, and what stands between `{{` and `}}`. */
import { invalidArgument } from "#errdefs";

export type Token =
  | { readonly kind: "word"; readonly text: string; readonly at: number }
  | { readonly kind: "string"; readonly text: string; readonly at: number }
  | { readonly kind: "number"; readonly value: number; readonly at: number }
  /** `.A.B`, `$x.A`, `.A` behind a parenthesis; the head is empty, `$` or a variable's name. */
  | {
      readonly kind: "path";
      readonly head: string;
      readonly fields: readonly string[];
      /** Nothing stands before it: it belongs to what does otherwise. */
      readonly apart: boolean;
      readonly at: number;
    }
  | { readonly kind: "sign"; readonly text: "|" | "(" | ")" | "," | ":=" | "="; readonly at: number };

export type Piece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "action"; readonly tokens: readonly Token[]; readonly at: number };

export function templateError(template: string, at: number, problem: string): Error {
  return invalidArgument(`Cannot parse --format "${template}": ${problem} at character ${at + 1}`, {
    remedy: "Write a template such as '{{.ID}} {{.Names}}', or json",
  });
}

/** Longer ones are surely no template that somebody wrote. */
const maxLength = 64 * 1024;

export function splitTemplate(template: string): Piece[] {
  if (template.length > maxLength) throw invalidArgument("Cannot parse --format: it is longer than 64 KiB");
  const pieces: Piece[] = [];
  let at = 0;
  let trimNext = false;
  for (;;) {
    const open = template.indexOf("{{", at);
    let text = template.slice(at, open < 0 ? undefined : open);
    const trimmed = open >= 0 && /^\{\{-\s/.test(template.slice(open, open + 4));
    if (trimNext) text = text.trimStart();
    if (trimmed) text = text.trimEnd();
    if (text !== "") pieces.push({ kind: "text", text });
    if (open < 0) return pieces;
    const start = open + (trimmed ? 3 : 2);
    const comment = /^\s*\/\*[^]*?\*\/\s*(-?)\}\}/.exec(template.slice(start));
    if (comment !== null) {
      at = start + comment[0].length;
      trimNext = comment[1] === "-";
      continue;
    }
    const { tokens, end, trim } = readAction(template, start);
    pieces.push({ kind: "action", tokens, at: open });
    at = end;
    trimNext = trim;
  }
}

const escapes: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["t", "\t"],
  ["r", "\r"],
  ['"', '"'],
  ["\\", "\\"],
  ["'", "'"],
]);

function readAction(template: string, start: number): { tokens: Token[]; end: number; trim: boolean } {
  const tokens: Token[] = [];
  let at = start;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(template);
  };
  for (;;) {
    const space = match(/\s*/y)?.[0] ?? "";
    const apart = space !== "" || at === start;
    at += space.length;
    if (at >= template.length) throw templateError(template, start - 2, "an action has no end }}");
    const end = match(/-?\}\}/y);
    if (end !== null && (end[0] === "}}" || apart)) return { tokens, end: at + end[0].length, trim: end[0] !== "}}" };
    let found: RegExpExecArray | null;
    if ((found = match(/:=|[|(),=]/y)) !== null) tokens.push({ kind: "sign", text: found[0] as "|", at });
    else if ((found = match(/(\$\w*)?((?:\.[\p{L}_][\p{L}\p{N}_]*)+|\.?)/uy)) !== null && found[0] !== "") {
      const [, head = "", path = ""] = found;
      if (head !== "" && path === ".") throw templateError(template, at, `"${found[0]}" has no field behind the point`);
      tokens.push({ kind: "path", head, fields: path.split(".").filter((f) => f !== ""), apart, at });
    } else if ((found = match(/[+-]?(?:0x[\da-f]+|\d+(?:\.\d+)?)(?![\w.])/iy)) !== null)
      tokens.push({ kind: "number", value: Number(found[0]), at });
    else if ((found = match(/`([^`]*)`/y)) !== null) tokens.push({ kind: "string", text: found[1] ?? "", at });
    else if ((found = match(/"((?:[^"\\\n]|\\.)*)"/y)) !== null) {
      const text = (found[1] ?? "").replace(/\\(.)/g, (all, letter: string) => {
        const value = escapes.get(letter);
        if (value === undefined) throw templateError(template, at, `"${all}" is no escape`);
        return value;
      });
      tokens.push({ kind: "string", text, at });
    } else if ((found = match(/[\p{L}_][\p{L}\p{N}_]*/uy)) !== null) tokens.push({ kind: "word", text: found[0], at });
    else throw templateError(template, at, `${JSON.stringify(template[at] ?? "")} is not expected`);
    at += found[0].length;
  }
}
