/** A command of the OCI runtime's command line. */
import type { OciRuntime } from "#runtime";
import type { CommandDefinition, OptionDefinitions, OptionValues } from "../command.ts";

export const programName = "sampan-oci";

export interface OciGlobals {
  /** Directory of the containers' state. */
  readonly root: string;
  readonly log: string | undefined;
  readonly logFormat: "text" | "json";
  readonly debug: boolean;
  readonly systemdCgroup: boolean;
}

/** What commands are given. */
export interface OciContext {
  readonly globals: OciGlobals;
  readonly warn: (text: string) => void;
  readonly debug: (text: string) => void;
  /**
   * Opens the runtime; it is closed after the command.
   *
   * @param preserve how many descriptors from 3 on are passed to the container
   */
  readonly runtime: (preserve?: number) => OciRuntime;
}

export interface OciCommand {
  readonly definition: CommandDefinition;
  /** Gives the exit code of the process. */
  readonly run: (options: never, positionals: readonly string[], context: OciContext) => Promise<number>;
}

/** Ties a definition to the code that gets its options, with their exact types. */
export function ociCommand<const D extends OptionDefinitions>(
  definition: CommandDefinition<D>,
  run: (options: OptionValues<D>, positionals: readonly string[], context: OciContext) => Promise<number>,
): OciCommand {
  return { definition: { ...definition, program: programName }, run };
}
