export { applyLayer, type ApplyOptions, type LayerStats } from "./apply-layer.ts";
export { defaultLimits, type ArchiveLimits } from "./limits.ts";
export { TarReader, type EntryType, type TarData, type TarEntry } from "./tar-reader.ts";
export { archiveTree, fileType, type ArchiveEvent, type Note, type TreeArchiveOptions } from "./tree-archive.ts";
export { encodeName } from "./text.ts";
export { extractEntries } from "./extract.ts";
export { treeEntries, type TreeEntryOptions } from "./tree-entries.ts";
