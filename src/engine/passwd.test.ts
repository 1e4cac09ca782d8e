import { expect, test } from "vitest";
import { resolveGroups, resolveUser } from "./passwd.ts";

const files = {
  passwd: "root:x:0:0:root:/root:/bin/sh\nbroken\nweb:x:33:34::/var/www:\n99999999999:x:0:0::/:\nodd:x:12:nan::/:\n",
  group: "root:x:0:\nweb:x:34:\nlogs:x:50:web,other\nmail:x:51:web\n",
};

test("resolveUser() gives root with an empty text", () => {
  expect(resolveUser("", files)).toEqual({ uid: 0, gid: 0, groups: [0], home: "/root" });
  expect(resolveUser("", { passwd: "", group: "" })).toEqual({ uid: 0, gid: 0, groups: [0], home: "/" });
});

test("resolveUser() takes primary and supplementary groups of a name", () => {
  expect(resolveUser("web", files)).toEqual({ uid: 33, gid: 34, groups: [34, 50, 51], home: "/var/www" });
});

test("resolveUser() takes the account of a numeric id, and goes without one", () => {
  expect(resolveUser("33", files)).toEqual({ uid: 33, gid: 34, groups: [34, 50, 51], home: "/var/www" });
  expect(resolveUser("1234", files)).toEqual({ uid: 1234, gid: 0, groups: [0], home: "/" });
});

test("resolveUser() takes only the named group when one is given", () => {
  expect(resolveUser("web:mail", files)).toEqual({ uid: 33, gid: 51, groups: [51], home: "/var/www" });
  expect(resolveUser("1:2", files)).toEqual({ uid: 1, gid: 2, groups: [2], home: "/" });
  expect(resolveUser(":50", files)).toEqual({ uid: 0, gid: 50, groups: [50], home: "/root" });
});

test("resolveUser() never falls back to a name for digits out of range (CVE-2024-40635)", () => {
  for (const text of ["4294967296", "2147483648", "99999999999"])
    expect(() => resolveUser(text, files)).toThrow("ids go from 0 to");
});

test("resolveUser() reads 01 as 1 and refuses signs, empty groups and more parts (CVE-2026-30892)", () => {
  expect(resolveUser("01", files).uid).toBe(1);
  for (const text of ["-1", "+1", "1 ", "0x1"]) expect(() => resolveUser(text, files)).toThrow("no such name");
  for (const text of ["1:", ":", "1:2:3"]) expect(() => resolveUser(text, files)).toThrow("must be USER");
});

test("resolveUser() names the user or group that isn't there", () => {
  expect(() => resolveUser("nobody", files)).toThrow('Cannot find user "nobody"');
  expect(() => resolveUser("odd", files)).toThrow('Cannot find user "odd"');
  expect(() => resolveUser("web:nogroup", files)).toThrow('Cannot find group "nogroup"');
});

test("resolveGroups() takes names and ids", () => {
  expect(resolveGroups(["logs", "7"], files)).toEqual([50, 7]);
  expect(() => resolveGroups(["none"], files)).toThrow('Cannot find group "none"');
});
