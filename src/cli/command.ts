/**
 * A command is data: its words, its options and what it does, so that `--help` and parsing come from one definition. What a
 * command needs of the engine it loads when it runs.
 */

/** `list` may be given several times. `boolean` also takes `--no-NAME` and `--NAME=false`. */
type OptionType = "boolean" | "string" | "list";

export interface OptionDefinition {
  readonly type: OptionType;
  readonly short?: string;
  /** One line for `--help`. */
  readonly help: string;
  /** What stands for the value in `--help`, e.g. `BYTES`. */
  readonly value?: string;
}

export type OptionDefinitions = Readonly<Record<string, OptionDefinition>>;

export type OptionValues<D extends OptionDefinitions> = {
  readonly [K in keyof D]: D[K]["type"] extends "boolean"
    ? boolean | undefined
    : D[K]["type"] extends "string"
      ? string | undefined
      : readonly string[];
};

export interface CommandDefinition<D extends OptionDefinitions = OptionDefinitions> {
  /** As messages and `--help` name the program; `sampan` when undefined. */
  readonly program?: string;
  readonly name: string;
  readonly summary: string;
  /** Positional arguments as `--help` shows them, e.g. `IMAGE [COMMAND [ARG...]]`. */
  readonly usage: string;
  readonly options: D;
  /** Fewest and most positional arguments. */
  readonly positionals: readonly [min: number, max: number];
  /** Options end at the first positional argument, which then starts another command line (run, exec). */
  readonly passthrough?: boolean;
  readonly examples: readonly string[];
  /** Not in the list of commands: the program runs it itself. */
  readonly hidden?: boolean;
}

export interface GlobalOptions {
  readonly root: string | undefined;
  readonly state: string | undefined;
  /** Of a daemon, as `unix:///path` or `tcp://host:port`. */
  readonly host: string | undefined;
  /** Name of a daemon. */
  readonly context?: string | undefined;
  readonly namespace?: string | undefined;
}

/** A command: what it is, and what it does. `run` gives the exit code of the process. */
export interface Command {
  readonly definition: CommandDefinition;
  readonly run: (options: never, positionals: readonly string[], globals: GlobalOptions) => Promise<number>;
}

/** Ties a definition to the code that gets its options, with their exact types. */
export function command<const D extends OptionDefinitions>(
  definition: CommandDefinition<D>,
  run: (options: OptionValues<D>, positionals: readonly string[], globals: GlobalOptions) => Promise<number>,
): Command {
  return { definition, run };
}
