/** The configuration of an image that is made of a container (`commit`). */
import { changeConfig, mergeEnvironment, type RunConfig } from "#images";
import type { Digest } from "#spec";
import type { ContainerRecord } from "../records.ts";

export interface CommittedConfig {
  /** The image's that the container was made from, in JSON. */
  readonly base: string;
  readonly record: ContainerRecord;
  readonly changes: readonly string[];
  readonly author: string | undefined;
  readonly message: string | undefined;
  /** Milliseconds since the epoch. */
  readonly created: number;
}

interface BaseConfig {
  readonly config?: RunConfig;
  readonly author?: string;
  readonly rootfs?: { readonly diff_ids?: readonly string[] };
  readonly history?: readonly unknown[];
}

/** The text of the configuration, once the new layer's digest is known. What the base has and is not known here stays. */
export function committedConfig(facts: CommittedConfig): (diffId: Digest) => string {
  const { record, changes, author, message } = facts;
  const base = JSON.parse(facts.base) as BaseConfig;
  const created = new Date(facts.created).toISOString();
  const config = changeConfig(ownConfig(base.config ?? {}, record), changes);
  const by = author ?? base.author;
  const entry = {
    created,
    created_by: record.resolved.args.join(" "),
    ...(author !== undefined && { author }),
    ...(message !== undefined && { comment: message }),
  };
  return (diffId) =>
    JSON.stringify({
      ...base,
      created,
      ...(by !== undefined && { author: by }),
      config,
      rootfs: { type: "layers", diff_ids: [...(base.rootfs?.diff_ids ?? []), diffId] },
      history: [...(base.history ?? []), entry],
    });
}

/** What the container was given in place of what the image says. */
function ownConfig(base: RunConfig, { options, resolved }: ContainerRecord): RunConfig {
  const config = { ...base };
  if (options.entrypoint !== undefined) {
    config["Entrypoint"] = options.entrypoint.length === 0 ? null : options.entrypoint;
    if (options.command === undefined) config["Cmd"] = null;
  }
  if (options.command !== undefined) config["Cmd"] = options.command;
  const given = options.env ?? [];
  const env = Array.isArray(given) ? (given as readonly string[]).map(split) : Object.entries(given);
  if (env.length > 0) config["Env"] = mergeEnvironment((base["Env"] as string[] | undefined) ?? [], env);
  if (options.workdir !== undefined) config["WorkingDir"] = options.workdir;
  if (options.user !== undefined) config["User"] = options.user;
  if (options.stopSignal !== undefined) config["StopSignal"] = options.stopSignal;
  if (Object.keys(resolved.labels).length > 0) config["Labels"] = resolved.labels;
  const volumes = resolved.volumes.filter((v) => v.anonymous).map((v) => [v.target, {}] as const);
  if (volumes.length > 0)
    config["Volumes"] = { ...(base["Volumes"] as RunConfig | undefined), ...Object.fromEntries(volumes) };
  return config;
}

function split(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
