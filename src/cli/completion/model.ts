/** What a shell can complete, from the commands' own definitions. */
import type { CommandDefinition } from "../command.ts";

/** What stands for a value or an argument. */
export type Kind = "containers" | "images" | "networks" | "volumes" | "files" | "none";

export interface CompletedOption {
  readonly name: string;
  readonly short: string | undefined;
  readonly help: string;
  readonly takesValue: boolean;
  readonly kind: Kind;
  /** The values, where there are few. */
  readonly choices: readonly string[];
}

export interface CompletedCommand {
  /** One or two words. */
  readonly name: string;
  readonly summary: string;
  readonly options: readonly CompletedOption[];
  /** Of its first argument, and of all where it takes several of one kind. */
  readonly argument: Kind;
}

/** Options before the command, and whether they take a value. */
export const globalOptions: readonly { readonly name: string; readonly help: string; readonly kind: Kind }[] = [
  { name: "root", help: "where images and containers are kept", kind: "files" },
  { name: "state", help: "where the state of running containers is kept", kind: "files" },
  { name: "namespace", help: "whose images and containers", kind: "none" },
  { name: "host", help: "a daemon's socket or address", kind: "none" },
  { name: "context", help: "name of a daemon", kind: "none" },
];

/** Command lines that print what there is of a kind, one a line. */
export const listings: Readonly<Record<Exclude<Kind, "files" | "none">, string>> = {
  containers: "ps -a --format '{{.Names}}'",
  images: "images --format '{{.Repository}}:{{.Tag}}'",
  networks: "network ls --format '{{.Name}}'",
  volumes: "volume ls --format '{{.Name}}'",
};

const kinds: readonly (readonly [RegExp, Kind])[] = [
  [/^CONTAINER/, "containers"],
  [/^(IMAGE|NAME\[:TAG\])/, "images"],
  [/^NETWORK/, "networks"],
  [/^VOLUME/, "volumes"],
  [/(FILE|DIR|PATH|TAR|ARCHIVE)/, "files"],
];

const kindOf = (word: string): Kind => kinds.find(([pattern]) => pattern.test(word))?.[1] ?? "none";

export function completionModel(definitions: readonly CommandDefinition[]): readonly CompletedCommand[] {
  return definitions
    .filter(({ hidden }) => hidden !== true)
    .map((definition) => ({
      name: definition.name,
      summary: definition.summary,
      argument: kindOf(definition.usage.replace(/^\[/, "")),
      options: Object.entries(definition.options).map(([name, { type, short, help, value = "" }]) => ({
        name,
        short,
        help,
        takesValue: type !== "boolean",
        kind: /^[a-z0-9-]+(\|[a-z0-9-]+)*$/.test(value) ? "none" : kindOf(value),
        choices: /^[a-z0-9-]+(\|[a-z0-9-]+)*$/.test(value) ? value.split("|") : [],
      })),
    }));
}
