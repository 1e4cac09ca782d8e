import { mountAttribute as a, mountPropagation as p } from "./mount-flags.ts";

/** What one word of a mount's options means. */
export type MountOption =
  /** Attributes of the mount itself. `recursive`: and of all mounts below (only for binds). */
  | { readonly kind: "attribute"; readonly set: bigint; readonly clear: bigint; readonly recursive: boolean }
  | { readonly kind: "propagation"; readonly mode: bigint; readonly recursive: boolean }
  | { readonly kind: "bind"; readonly recursive: boolean }
  /** A flag of the filesystem and not of the mount, given to fsconfig(2). */
  | { readonly kind: "filesystem" }
  /** Ids of a bind's files shown as others. `recursive`: and those of mounts below. */
  | { readonly kind: "id-map"; readonly recursive: boolean }
  | { readonly kind: "switch"; readonly name: MountSwitch }
  /** Has no effect with the mount interface of today. */
  | { readonly kind: "nothing" };

/** What a word alone turns on. */
export type MountSwitch =
  /** Change a mount that is already there. */
  | "remount"
  /** A tmpfs starts with what it covers (runc, crun). */
  | "copyUp"
  /** Make a bind's source that is a symbolic link anew, instead of a mount (crun). */
  | "copyLink"
  /** Bind a symbolic link itself (crun). */
  | "sourceNoFollow"
  /** Bind over a symbolic link itself (crun). */
  | "targetNoFollow";

const table = new Map<string, MountOption>();

/** `ro` and its recursive form `rro`. */
function attribute(name: string, set: bigint, clear: bigint): void {
  table.set(name, { kind: "attribute", set, clear, recursive: false });
  table.set(`r${name}`, { kind: "attribute", set, clear, recursive: true });
}

attribute("ro", a.readOnly, 0n);
attribute("rw", 0n, a.readOnly);
attribute("nosuid", a.noSuid, 0n);
attribute("suid", 0n, a.noSuid);
attribute("nodev", a.noDev, 0n);
attribute("dev", 0n, a.noDev);
attribute("noexec", a.noExec, 0n);
attribute("exec", 0n, a.noExec);
attribute("nodiratime", a.noDirAtime, 0n);
attribute("diratime", 0n, a.noDirAtime);
attribute("relatime", 0n, a.accessTime);
attribute("norelatime", a.strictAtime, a.accessTime);
attribute("noatime", a.noAtime, a.accessTime);
attribute("atime", 0n, a.accessTime);
attribute("strictatime", a.strictAtime, a.accessTime);
attribute("nostrictatime", 0n, a.accessTime);
attribute("nosymfollow", a.noSymfollow, 0n);
attribute("symfollow", 0n, a.noSymfollow);

for (const [name, mode] of Object.entries(p)) {
  table.set(name, { kind: "propagation", mode, recursive: false });
  table.set(`r${name}`, { kind: "propagation", mode, recursive: true });
}

table.set("bind", { kind: "bind", recursive: false });
table.set("rbind", { kind: "bind", recursive: true });
// vfs_parse_sb_flag() of the kernel knows these as parameters of any filesystem.
for (const name of ["sync", "async", "dirsync", "lazytime", "nolazytime", "mand", "nomand"])
  table.set(name, { kind: "filesystem" });
// `defaults` changes nothing; `iversion` is each filesystem's own affair since Linux 5.18; `silent` is about the
// kernel's log. The recursive forms are crun's: those are flags of filesystems, which mounts below do not take over.
for (const name of ["defaults", "iversion", "noiversion", "silent", "loud"]) table.set(name, { kind: "nothing" });
for (const name of ["rsync", "rasync", "rdirsync", "rmand", "rnomand"]) table.set(name, { kind: "nothing" });
table.set("idmap", { kind: "id-map", recursive: false });
table.set("ridmap", { kind: "id-map", recursive: true });
table.set("remount", { kind: "switch", name: "remount" });
table.set("tmpcopyup", { kind: "switch", name: "copyUp" });
table.set("copy-symlink", { kind: "switch", name: "copyLink" });
table.set("src-nofollow", { kind: "switch", name: "sourceNoFollow" });
table.set("dest-nofollow", { kind: "switch", name: "targetNoFollow" });

/** Undefined for a word that is the filesystem's own parameter, e.g. `size=64m`. */
export const mountOption = (word: string): MountOption | undefined => table.get(word);

/** Every word that is known, sorted: `mountOptions` of the features document (runtime-spec features.md). */
export const mountOptions: readonly string[] = [...table.keys()].sort();
