/** A tar archive as files in a tree, where names mean themselves: whiteouts are for layers. */
import { invalidArgument } from "#errdefs";
import type { LayerEntry } from "#keel";
import { defaultLimits } from "./limits.ts";
import { cleanPath } from "./path.ts";
import { TarReader } from "./tar-reader.ts";
import { quote } from "./text.ts";
import { describe } from "./translate.ts";

/**
 * The entries of an archive, to be made one after another; what keel makes of them never leaves its root.
 *
 * @throws SampanError `data-loss` for an archive that is malformed or cut short, `invalid-argument` for a name that leaves the
 * root, `resource-exhausted` beyond {@link defaultLimits}; what the stream throws
 */
export async function* extractEntries(stream: AsyncIterable<Uint8Array>): AsyncGenerator<LayerEntry, void, void> {
  const reader = new TarReader(stream, defaultLimits);
  try {
    for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
      const path = cleanPath(entry.name);
      if (path === "" && entry.type !== "directory")
        throw invalidArgument(`Cannot unpack ${quote(entry.name)} (${reader.place}): it names no file`);
      const made = describe(entry, path === "" ? "." : path, reader.place);
      yield made;
      if (made.kind !== "apply-file") continue;
      for (let part = await reader.read(); part !== undefined; part = await reader.read())
        yield { kind: "apply-data", offset: BigInt(part.offset), data: part.data };
      yield { kind: "apply-end" };
    }
    await reader.drain();
  } finally {
    await reader.close();
  }
}
