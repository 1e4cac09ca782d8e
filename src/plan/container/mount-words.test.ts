import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mountAttribute as a } from "../tables/mount-flags.ts";
import { mountOptions } from "../tables/mount-options.ts";
import { readMountWords } from "./mount-words.ts";

const nothing = {
  bind: false,
  bindRecursive: false,
  set: 0n,
  clear: 0n,
  setRecursive: 0n,
  clearRecursive: 0n,
  propagation: 0n,
  propagationRecursive: false,
  parameters: [],
  own: undefined,
  idMap: undefined,
  switches: new Set(),
};

describe("readMountWords()", () => {
  it("sorts words into attributes, propagation and the filesystem's own", () => {
    expect(
      readMountWords(
        ["rbind", "ro", "nosuid", "rnoexec", "rslave", "size=64m", "sync", "defaults", "newinstance", ""],
        "/a",
      ),
    ).toEqual({
      ...nothing,
      bind: true,
      bindRecursive: true,
      set: a.readOnly | a.noSuid,
      setRecursive: a.noExec,
      propagation: 0x8_0000n,
      propagationRecursive: true,
      parameters: [
        { key: "size", value: "64m" },
        { key: "sync", value: "" },
        { key: "newinstance", value: "" },
      ],
      own: "size=64m",
    });
  });

  it("lets the later of two contrary words win", () => {
    expect(readMountWords(["ro", "rw", "nodev", "dev", "nodev"], "/a")).toEqual({
      ...nothing,
      set: a.noDev,
      clear: a.readOnly,
    });
  });

  it("replaces the way to keep access times as one field", () => {
    expect(readMountWords(["noatime"], "/a")).toEqual({ ...nothing, set: a.noAtime, clear: a.accessTime });
    expect(readMountWords(["noatime", "strictatime"], "/a")).toEqual({
      ...nothing,
      set: a.strictAtime,
      clear: a.accessTime,
    });
    expect(readMountWords(["strictatime", "relatime"], "/a")).toEqual({ ...nothing, clear: a.accessTime });
  });

  it("never both sets and clears an attribute, but for the field of access times", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...mountOptions)), (words) => {
        const { set, clear, setRecursive, clearRecursive } = readMountWords(words, "/a");
        expect(set & clear & ~a.accessTime).toBe(0n);
        expect(setRecursive & clearRecursive & ~a.accessTime).toBe(0n);
        expect([0n, a.noAtime, a.strictAtime]).toContain(set & a.accessTime);
      }),
    );
  });

  it("tells apart id maps of the config, of crun's option, and the words that stand alone", () => {
    expect(readMountWords(["ridmap", "remount", "src-nofollow"], "/a")).toEqual({
      ...nothing,
      idMap: { recursive: true, maps: "" },
      switches: new Set(["remount", "sourceNoFollow"]),
    });
    expect(readMountWords(["idmap=uids=0-1-2;gids=0-1-2"], "/a").idMap).toEqual({
      recursive: false,
      maps: "uids=0-1-2;gids=0-1-2",
    });
  });

  it("refuses malformed options", () => {
    expect(() => readMountWords([`x=${"y".repeat(5000)}`], "/a")).toThrow("is malformed");
  });
});

describe("mountOptions", () => {
  /** libcontainer/specconv/spec_linux.go of runc 1.5.1. */
  const runc =
    `async atime bind defaults dev diratime dirsync exec iversion lazytime loud mand noatime nodev nodiratime noexec
     noiversion nolazytime nomand norelatime nostrictatime nosuid nosymfollow rbind relatime remount ro rw silent
     strictatime suid sync symfollow private rprivate shared rshared slave rslave unbindable runbindable rro rrw rnosuid
     rsuid rnodev rdev rnoexec rexec rnodiratime rdiratime rrelatime rnorelatime rnoatime ratime rstrictatime
     rnostrictatime rnosymfollow rsymfollow tmpcopyup idmap ridmap`.split(/\s+/);
  /** src/libcrun/mount_flags.perf of crun 1.29, where runc has none. */
  const crun = "rsync rasync rdirsync rmand rnomand copy-symlink src-nofollow dest-nofollow".split(" ");

  it("has every option of runc and crun, and no other", () => {
    expect(mountOptions).toEqual([...runc, ...crun].sort());
  });

  it("leaves acl to the filesystem, as it is no flag of mounts", () => {
    expect(readMountWords(["acl"], "/a").parameters).toEqual([{ key: "acl", value: "" }]);
  });
});
