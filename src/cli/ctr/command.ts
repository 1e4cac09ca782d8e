/** A command of `sampan ctr`: data like those of sampan itself, under the group words that containerd's client has. */
import type { CommandDefinition, OptionDefinitions, OptionValues } from "../command.ts";
import type { CtrContext } from "./context.ts";

export interface CtrCommand {
  readonly definition: CommandDefinition;
  /** Other words for the last word of its name. */
  readonly aliases: readonly string[];
  readonly run: (options: never, positionals: readonly string[], context: CtrContext) => Promise<number>;
}

export const programName = "sampan ctr";

/** Ties a definition to the code that gets its options, with their exact types. */
export function ctrCommand<const D extends OptionDefinitions>(
  definition: Omit<CommandDefinition<D>, "program" | "positionals"> & { readonly aliases?: readonly string[] },
  run: (options: OptionValues<D>, positionals: readonly string[], context: CtrContext) => Promise<number>,
): CtrCommand {
  const { aliases = [], ...others } = definition;
  // How many words there must be is checked by each command, in containerd's words.
  return { definition: { ...others, program: programName, positionals: [0, Infinity] }, aliases, run };
}
