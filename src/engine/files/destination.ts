/** Where `cp` puts what it copies: Docker's table of cases (docs.docker.com, "docker container cp"). */
import { failedPrecondition, notFound } from "#errdefs";
import { baseName, copyPath, parentPath, type CopyPath } from "./copy-path.ts";

/** What is at a path; a link is not followed. */
interface Seen {
  readonly kind: "directory" | "link" | "other";
  /** Of a link. */
  readonly target: string;
}

export type Look = (path: string) => Promise<Seen | undefined>;

/** Links that are followed one after another, as the kernel does (MAXSYMLINKS). */
const linkLimit = 40;

export interface Source {
  readonly name: string;
  readonly isDirectory: boolean;
  /** What is in the directory, and not the directory. */
  readonly isContent: boolean;
  readonly shown: string;
}

/**
 * The path that the source gets:
 *
 *                     is missing                     is a file   is a directory
 *     a file          that path (not with `/`)       that path   in it, by its own name
 *     a directory     that path                      refused     in it, by its own name
 *     `DIRECTORY/.`   that path                      refused     that path
 *
 * @throws SampanError `not-found` without the directory that it would be in, `failed-precondition`
 */
export async function destinationPath(to: CopyPath, source: Source, look: Look): Promise<string> {
  const { path, seen } = await resolveLinks(to, look);
  const action = `Cannot copy "${source.shown}" to "${to.shown}"`;
  if (seen?.kind === "directory") return source.isContent ? path : joined(path, source.name);
  if (seen !== undefined) {
    if (source.isDirectory) throw failedPrecondition(`${action}: a directory cannot replace a file`);
    if (to.isDirectory) throw failedPrecondition(`${action}: it is no directory`);
    return path;
  }
  if (to.isDirectory && !source.isDirectory)
    throw notFound(`${action}: there is no such directory`, { path: to.path, remedy: "Make it first" });
  const parent = parentPath(path);
  const above = await resolveLinks(copyPath(parent, "/"), look);
  if (above.seen?.kind !== "directory")
    throw notFound(`${action}: there is no directory "${parent}" for it`, { path: parent, remedy: "Make it first" });
  return joined(above.path, baseName(path));
}

/** The directory that an archive is unpacked in. */
export async function destinationDirectory(to: CopyPath, look: Look): Promise<string> {
  const { path, seen } = await resolveLinks(to, look);
  if (seen?.kind === "directory") return path;
  const action = `Cannot copy an archive to "${to.shown}"`;
  if (seen !== undefined) throw failedPrecondition(`${action}: it is no directory`);
  throw notFound(`${action}: there is no such directory`, { path: to.path, remedy: "Make it first" });
}

const joined = (directory: string, name: string): string => `${directory === "/" ? "" : directory}/${name}`;

/** Follows links at the end of a path; one that leads nowhere stands for what it would lead to. */
async function resolveLinks(
  to: CopyPath,
  look: Look,
): Promise<{ readonly path: string; readonly seen: Seen | undefined }> {
  let { path } = to;
  for (let links = 0; ; links += 1) {
    const seen = await look(path);
    if (seen?.kind !== "link") return { path, seen };
    if (links === linkLimit)
      throw failedPrecondition(`Cannot copy to "${to.shown}": too many symbolic links lead on from it`);
    ({ path } = copyPath(seen.target, parentPath(path)));
  }
}
