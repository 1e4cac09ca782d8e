import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mountAttribute as a } from "../tables/mount-flags.ts";
import { mountOptionNames } from "../tables/mount-options.ts";
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
      fc.property(fc.array(fc.constantFrom(...mountOptionNames())), (words) => {
        const { set, clear, setRecursive, clearRecursive } = readMountWords(words, "/a");
        expect(set & clear & ~a.accessTime).toBe(0n);
        expect(setRecursive & clearRecursive & ~a.accessTime).toBe(0n);
        expect([0n, a.noAtime, a.strictAtime]).toContain(set & a.accessTime);
      }),
    );
  });

  it("refuses options that are not supported, and malformed ones", () => {
    expect(() => readMountWords(["idmap"], "/a")).toThrow('Cannot mount on "/a": option idmap is not supported');
    expect(() => readMountWords([`x=${"y".repeat(5000)}`], "/a")).toThrow("is malformed");
  });
});

describe("mountOptionNames()", () => {
  it("has every option of runc but those for id-mapped mounts and tmpcopyup", () => {
    const runc =
      `async atime bind defaults dev diratime dirsync exec iversion lazytime loud mand noatime nodev nodiratime noexec
       noiversion nolazytime nomand norelatime nostrictatime nosuid nosymfollow rbind relatime remount ro rw silent
       strictatime suid sync symfollow private rprivate shared rshared slave rslave unbindable runbindable rro rrw
       rnosuid rsuid rnodev rdev rnoexec rexec rnodiratime rdiratime rrelatime rnorelatime rnoatime ratime rstrictatime
       rnostrictatime rnosymfollow rsymfollow`.split(/\s+/);
    expect(mountOptionNames()).toEqual(runc.sort());
  });
});
