/** Versions of the CNI specification, and which of them is spoken with a network's plugins. */

/** Ascending. */
export const cniVersions = ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"] as const;
export type CniVersion = (typeof cniVersions)[number];

export const isCniVersion = (text: string): text is CniVersion => cniVersions.some((version) => version === text);

/** Whether `version` is that of `least` or later. */
export const isSince = (version: CniVersion, least: CniVersion): boolean =>
  cniVersions.indexOf(version) >= cniVersions.indexOf(least);

/** The latest of those that we speak too; undefined when there is none. */
export const latestCommon = (versions: readonly string[]): CniVersion | undefined =>
  cniVersions.findLast((version) => versions.includes(version));
