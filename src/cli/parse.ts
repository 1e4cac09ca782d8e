/** Parsing of a command line against a command's definition. */
import { invalidArgument } from "#errdefs";
import type { CommandDefinition, OptionDefinition, OptionDefinitions, OptionValues } from "./command.ts";

export interface Parsed<D extends OptionDefinitions> {
  readonly options: OptionValues<D>;
  readonly positionals: readonly string[];
  readonly help: boolean;
}

const truth = new Map([
  ["true", true],
  ["1", true],
  ["false", false],
  ["0", false],
]);

/**
 * Understands `--name value`, `--name=value`, `-n value`, `-nvalue`, `-abc` for joined flags, `--no-name` and `--`.
 *
 * @throws SampanError `invalid-argument` that names the option, and the nearest known one for an unknown name
 */
export function parseCommand<D extends OptionDefinitions>(
  definition: CommandDefinition<D>,
  argv: readonly string[],
): Parsed<D> {
  const values = new Map<string, boolean | string | string[]>();
  const positionals: string[] = [];
  const byShort = new Map<string, string>();
  for (const [name, option] of Object.entries(definition.options)) {
    if (option.short !== undefined) byShort.set(option.short, name);
    if (option.type === "list") values.set(name, []);
  }
  const seeHelp = `See ${definition.program ?? "sampan"} ${definition.name} --help`;
  let help = false;
  let at = 0;

  const option = (name: string, shown: string): OptionDefinition => {
    const found = Object.hasOwn(definition.options, name) ? definition.options[name] : undefined;
    if (found !== undefined) return found;
    const near = nearest(name, Object.keys(definition.options));
    throw invalidArgument(`Cannot parse "${shown}": ${definition.name} has no such option`, {
      remedy: near === undefined ? seeHelp : `Did you mean --${near}`,
    });
  };
  const store = (name: string, shown: string, inline: string | undefined): void => {
    const { type } = option(name, shown);
    if (type === "boolean") {
      const value = inline === undefined ? true : truth.get(inline.toLowerCase());
      if (value === undefined) throw invalidArgument(`Cannot parse "${shown}=${inline}": ${shown} takes true or false`);
      values.set(name, value);
      return;
    }
    const value = inline ?? argv[at++];
    if (value === undefined) throw invalidArgument(`Cannot parse "${shown}": it needs a value`);
    const list = values.get(name);
    if (Array.isArray(list)) list.push(value);
    else values.set(name, value);
  };

  while (at < argv.length) {
    const arg = argv[at++] ?? "";
    if (arg === "--") {
      positionals.push(...argv.slice(at));
      break;
    }
    if (arg.startsWith("--")) {
      const equals = arg.indexOf("=");
      const name = equals < 0 ? arg.slice(2) : arg.slice(2, equals);
      if (name === "help") help = true;
      else if (
        name.startsWith("no-") &&
        definition.options[name] === undefined &&
        definition.options[name.slice(3)]?.type === "boolean"
      )
        values.set(name.slice(3), false);
      else store(name, `--${name}`, equals < 0 ? undefined : arg.slice(equals + 1));
      continue;
    }
    if (arg.startsWith("-") && arg.length > 1) {
      for (let i = 1; i < arg.length; i += 1) {
        const letter = arg[i] ?? "";
        const name = byShort.get(letter);
        if (name === undefined && letter === "h") {
          help = true;
          continue;
        }
        if (name === undefined)
          throw invalidArgument(`Cannot parse "-${letter}": ${definition.name} has no such option`, {
            remedy: seeHelp,
          });
        if (option(name, `-${letter}`).type === "boolean") {
          if (arg[i + 1] === "=") {
            store(name, `-${letter}`, arg.slice(i + 2));
            break;
          }
          values.set(name, true);
          continue;
        }
        const rest = arg.slice(i + 1);
        store(name, `-${letter}`, rest === "" ? undefined : rest.startsWith("=") ? rest.slice(1) : rest);
        break;
      }
      continue;
    }
    positionals.push(arg);
    if (definition.passthrough === true) {
      positionals.push(...argv.slice(at));
      break;
    }
  }

  const [min, max] = definition.positionals;
  if (!help && (positionals.length < min || positionals.length > max))
    throw invalidArgument(
      `Cannot run ${definition.name}: it takes ${definition.usage === "" ? "no arguments" : definition.usage}`,
      { remedy: seeHelp },
    );
  return { options: Object.fromEntries(values) as OptionValues<D>, positionals, help };
}

/** The known word with the smallest edit distance, when it is small. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(word, candidate);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1)
      next.push(
        Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)),
      );
    row = next;
  }
  return row[b.length] ?? 0;
}
