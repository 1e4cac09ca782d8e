/** Fills books that were begun anew because the old ones were damaged. */
import type { Images } from "#images";
import type { EnginePaths } from "../paths.ts";
import type { Records } from "../records.ts";
import type { OpenedBook } from "./open-book.ts";
import { restoreRecords, restoreVolumes } from "./record-file.ts";

/** @returns what was done, a line each */
export async function restoreBooks(
  shared: OpenedBook,
  own: OpenedBook,
  { images, records, paths }: { readonly images: Images; readonly records: Records; readonly paths: EnginePaths },
): Promise<readonly string[]> {
  const lines: string[] = [];
  const list = (what: string, names: readonly string[]): void => {
    if (names.length > 0) lines.push(`${what}: ${names.join(", ")}`);
  };
  // Containers first: they keep images from being taken for unused.
  if (own.aside !== undefined) {
    lines.push(`The damaged database is kept as ${own.aside}`);
    list("Containers found again", restoreRecords(paths, records));
    list("Volumes found again", restoreVolumes(paths, records));
    lines.push("Networks, labels of volumes and of namespaces are not known any more");
  }
  if (shared.aside !== undefined) {
    if (shared.aside !== own.aside) lines.push(`The damaged database is kept as ${shared.aside}`);
    const { images: found, lost } = await images.rebuild();
    list("Images found again", found);
    list("Images of which something is missing", lost);
  }
  return lines;
}
