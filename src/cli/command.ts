/**
 * A command is data: its words, options and a loader of the code that runs it, so that `--help` and parsing come from
 * one definition and a start loads nothing but the command asked for.
 */

/** `list` may be given several times. `boolean` also takes `--no-NAME` and `--NAME=false`. */
export type OptionType = "boolean" | "string" | "list";

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
}

/** Gives `options` their exact types. */
export function defineCommand<const D extends OptionDefinitions>(
  definition: CommandDefinition<D>,
): CommandDefinition<D> {
  return definition;
}

export interface GlobalOptions {
  readonly root: string | undefined;
  readonly state: string | undefined;
}

/** What a command's code exports as `run`: the exit code of the process. */
export type CommandRunner<D extends OptionDefinitions> = (
  options: OptionValues<D>,
  positionals: readonly string[],
  globals: GlobalOptions,
) => Promise<number>;
