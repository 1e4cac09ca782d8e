/**
 * Names of images, once more, beside the database, as all else can be found on disk, but not what things are called.
 *
 *     {"namespace":"default","name":"docker.io/library/debian:12","digest":"sha256:…","mediaType":"…","size":1234}
 *     {"namespace":"default","name":"docker.io/library/debian:12","digest":…,"pinned":1}      it is not to be pruned
 *     {"namespace":"default","name":"docker.io/library/debian:12"}       the name was taken away
 */
import { isDigest, type Digest } from "#spec";
import { logChange, readChanges } from "./change-log.ts";

export interface LoggedName {
  readonly namespace: string;
  readonly name: string;
  /** Undefined when it was taken away. */
  readonly digest?: Digest;
  readonly mediaType?: string;
  readonly size?: number;
  /** 0 or 1. */
  readonly pinned?: number;
}

const pathOf = (database: string): string => `${database}-names`;

/** Like {@link logChange}. */
export function logName(database: string, line: LoggedName, all: () => Iterable<LoggedName>): void {
  logChange(pathOf(database), line, all);
}

/** What the log says; lines that say nothing are left out. */
export function readNames(database: string): readonly Required<LoggedName>[] {
  const names = new Map<string, Required<LoggedName> | undefined>();
  for (const change of readChanges(pathOf(database))) {
    const { namespace, name, digest, mediaType, size, pinned } = change;
    if (typeof namespace !== "string" || typeof name !== "string") continue;
    const key = `${namespace}\0${name}`;
    if (digest === undefined) names.set(key, undefined);
    if (typeof digest !== "string" || !isDigest(digest)) continue;
    if (typeof mediaType !== "string" || typeof size !== "number") continue;
    names.set(key, { namespace, name, digest, mediaType, size, pinned: pinned === 1 ? 1 : 0 });
  }
  return [...names.values()].filter((entry) => entry !== undefined);
}
