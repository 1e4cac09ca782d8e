/**
 * Users and groups of an image: `--user` and the image's USER, looked up in the image's own /etc/passwd and /etc/group.
 * The files come from outside: they are read up to a limit by keel and parsed here without regular expressions.
 */
import { invalidArgument, notFound } from "#errdefs";

/** Largest /etc/passwd or /etc/group that is read, in bytes. */
export const accountFileLimit = 1024 * 1024;

export interface AccountFiles {
  readonly passwd: string;
  readonly group: string;
}

export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups; the primary group is always among them (CVE-2022-36109). */
  readonly groups: readonly number[];
  /** Home directory from /etc/passwd, `/` without an entry. */
  readonly home: string;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

const maxId = 2 ** 31 - 1;

/** A decimal id, or undefined for anything that isn't digits. Throws for digits that are no id (CVE-2024-40635). */
function parseId(text: string, what: string): number | undefined {
  if (text === "") return undefined;
  for (const c of text) if (c < "0" || c > "9") return undefined;
  const value = Number(text);
  if (value > maxId) throw invalidArgument(`Cannot use ${what} "${text}": ids go from 0 to ${maxId}`);
  return value;
}

function entryId(text: string | undefined): number | undefined {
  if (text === undefined || text === "" || text.length > 10) return undefined;
  for (const c of text) if (c < "0" || c > "9") return undefined;
  const value = Number(text);
  return value <= maxId ? value : undefined;
}

function parsePasswd(text: string): PasswdEntry[] {
  const entries: PasswdEntry[] = [];
  for (const line of text.split("\n")) {
    const [name, , uidText, gidText, , home] = line.split(":", 7);
    const uid = entryId(uidText);
    const gid = entryId(gidText);
    if (name === undefined || name === "" || name.startsWith("#") || uid === undefined || gid === undefined) continue;
    entries.push({ name, uid, gid, home: home === undefined || !home.startsWith("/") ? "/" : home });
  }
  return entries;
}

function parseGroup(text: string): GroupEntry[] {
  const entries: GroupEntry[] = [];
  for (const line of text.split("\n")) {
    const [name, , gidText, members] = line.split(":", 4);
    const gid = entryId(gidText);
    if (name === undefined || name === "" || name.startsWith("#") || gid === undefined) continue;
    entries.push({ name, gid, members: (members ?? "").split(",").filter((m) => m !== "") });
  }
  return entries;
}

/**
 * Resolves `user`, `uid`, `user:group`, `uid:gid` or an empty text (root), with Docker's meaning: digits are an id even
 * when no account has it; without a group the account's primary and supplementary groups count, with one only that.
 *
 * @throws SampanError `not-found` for a name that the image doesn't have, `invalid-argument` for a malformed one
 */
export function resolveUser(text: string, files: AccountFiles): ResolvedUser {
  const separator = text.indexOf(":");
  const userText = separator < 0 ? text : text.slice(0, separator);
  const groupText = separator < 0 ? undefined : text.slice(separator + 1);
  if (groupText === "" || text.includes("\n") || groupText?.includes(":") === true)
    throw invalidArgument(`Cannot use user "${text}": it must be USER, UID, USER:GROUP or UID:GID`);

  const accounts = parsePasswd(files.passwd);
  const groups = parseGroup(files.group);
  const id = userText === "" ? 0 : parseId(userText, "user");
  const account = id === undefined ? accounts.find((a) => a.name === userText) : accounts.find((a) => a.uid === id);
  if (id === undefined && account === undefined)
    throw notFound(`Cannot find user "${userText}": the image's /etc/passwd has no such name`, {
      remedy: "Name a user that the image has, or a numeric id",
    });
  const uid = account?.uid ?? id ?? 0;
  const home = account?.home ?? "/";

  if (groupText !== undefined) {
    const gid = parseId(groupText, "group") ?? groups.find((g) => g.name === groupText)?.gid;
    if (gid === undefined)
      throw notFound(`Cannot find group "${groupText}": the image's /etc/group has no such name`, {
        remedy: "Name a group that the image has, or a numeric id",
      });
    return { uid, gid, groups: [gid], home };
  }
  const gid = account?.gid ?? 0;
  const member = account === undefined ? [] : groups.filter((g) => g.members.includes(account.name)).map((g) => g.gid);
  return { uid, gid, groups: [...new Set([gid, ...member])], home };
}

/**
 * Groups that /etc/group gives the account of a user, whatever group is named with it; none for an id without account.
 *
 * @param text as for {@link resolveUser}
 */
export function accountGroups(text: string, files: AccountFiles): number[] {
  const userText = text.split(":", 1)[0] ?? "";
  const id = userText === "" ? 0 : parseId(userText, "user");
  const account = parsePasswd(files.passwd).find((a) => (id === undefined ? a.name === userText : a.uid === id));
  if (account === undefined) return [];
  return parseGroup(files.group)
    .filter((g) => g.members.includes(account.name))
    .map((g) => g.gid);
}

/** Ids of groups by name or number, for `--group-add`. */
export function resolveGroups(names: readonly string[], files: AccountFiles): number[] {
  const groups = parseGroup(files.group);
  return names.map((name) => {
    const gid = parseId(name, "group") ?? groups.find((g) => g.name === name)?.gid;
    if (gid === undefined) throw notFound(`Cannot find group "${name}": the image's /etc/group has no such name`);
    return gid;
  });
}
