import { parsePublish } from "#network";
import type { ContainerOptions } from "../options.ts";

/** `publish`, and with `publishAll` every exposed port that it does not name. */
export function publishedTexts(options: ContainerOptions, exposed: readonly string[] | undefined): readonly string[] {
  const given = options.publish ?? [];
  if (options.publishAll !== true) return given;
  const named = new Set(given.flatMap(parsePublish).map(({ port, protocol }) => `${port}/${protocol}`));
  return [...given, ...(exposed ?? []).filter((port) => !named.has(port))];
}
