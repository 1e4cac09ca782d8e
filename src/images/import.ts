/** An image of an archive of files (`import`). */
import { formatPlatform, parsePlatform, type Digest, type Platform } from "#spec";
import { assembleImage } from "./assemble.ts";
import { changeConfig } from "./config-change.ts";
import { hostPlatform } from "./image-store.ts";
import type { RemoveTools } from "./remove.ts";
import { plainStream } from "./transfer/plain-stream.ts";
import type { UnpackTools } from "./unpack.ts";

export interface ImportOptions {
  /** Instructions such as `CMD ["sh"]`, see `changeConfig`. */
  readonly changes?: readonly string[] | undefined;
  /** Comment of the image's history. */
  readonly message?: string | undefined;
  /** What it is for; this machine's by default. */
  readonly platform?: string | Platform | undefined;
  /** Where the archive comes from, for messages and the history: `-`, a path or an address. */
  readonly source?: string | undefined;
  /** Milliseconds since the epoch; now by default. */
  readonly created?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export async function importImage(
  stream: AsyncIterable<Uint8Array>,
  names: readonly string[],
  options: ImportOptions,
  tools: UnpackTools & RemoveTools,
): Promise<Digest> {
  const { source = "-", changes = [], message, signal = new AbortController().signal } = options;
  const platform = typeof options.platform === "string" ? parsePlatform(options.platform) : options.platform;
  const { os, architecture, variant } = platform ?? hostPlatform();
  const created = new Date(options.created ?? Date.now()).toISOString();
  const config = changeConfig({}, changes);
  const action = `import "${source}"`;
  return await assembleImage(
    {
      action,
      base: undefined,
      tar: plainStream(stream, action),
      compression: "gzip",
      configText: (diffId) =>
        JSON.stringify({
          created,
          architecture,
          os,
          ...(variant !== undefined && { variant }),
          config,
          rootfs: { type: "layers", diff_ids: [diffId] },
          history: [
            {
              created,
              created_by: `import ${source} (${formatPlatform({ os, architecture, ...(variant !== undefined && { variant }) })})`,
              comment: message ?? `Imported from ${source}`,
            },
          ],
        }),
      names,
      signal,
    },
    tools,
  );
}
