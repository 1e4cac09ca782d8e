/** Fills books that were begun anew because the old ones were damaged. */
import type { Images } from "#images";
import type { EnginePaths } from "../paths.ts";
import type { Records } from "../records.ts";
import type { OpenedBook } from "./open-book.ts";
import { restoreRecords, restoreVolumes } from "./record-file.ts";
import { restoreNetworks } from "./restore-networks.ts";

export interface RestoreTools {
  readonly images: Images;
  readonly records: Records;
  readonly paths: EnginePaths;
  /** Whether a container runs, of whatever namespace. */
  readonly isAlive: (container: string) => boolean;
}

/** @returns what was done, a line each */
export async function restoreBooks(
  shared: OpenedBook,
  own: OpenedBook,
  { images, records, paths, isAlive }: RestoreTools,
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
    lines.push(
      "Labels of volumes and of namespaces, and what containers were connected to later, are not known any more",
    );
  }
  if (shared.aside !== undefined) {
    if (shared.aside !== own.aside) lines.push(`The damaged database is kept as ${shared.aside}`);
    list("Networks found again", restoreNetworks(shared.database, isAlive));
    const { images: found, lost, leases } = await images.rebuild();
    list("Images found again", found);
    list("Images of which something is missing", lost);
    list("Leases found again", leases);
  }
  return lines;
}
