/** Layers that try to leave their directory. */
import type { Entry } from "./tar.ts";

const up = "../../../../../../../../../../..";
export const evil = { mode: 0o777, uid: 666, gid: 666, content: "overwritten\n" } as const;
export const link = (path: string, target: string): Entry => ({ path, type: "symlink", link: target });
const hard = (path: string, target: string): Entry => ({ path, type: "hardlink", link: target, mode: 0o777, uid: 666 });
export const dir = (path: string): Entry => ({ path, type: "directory", mode: 0o777, uid: 666, gid: 666 });

/** Entries of the layer, or of several; `O` stands for the directory outside. */
export const corpus: readonly (readonly [name: string, ...layers: (readonly Entry[])[]])[] = [
  ["a file in place of a link to a file", [link("a", "O/secret"), { path: "a", ...evil }]],
  ["a file below a link", [link("a", "O"), { path: "a/secret", ...evil }]],
  ["a file below a relative link", [link("a", `${up}O`), { path: "a/new", ...evil }]],
  ["a file below a chain of links", [link("a", "b"), link("b", "c/d"), link("c", "O/.."), { path: "a/new", ...evil }]],
  ["a directory in place of a link", [link("a", "O/sub"), dir("a")]],
  ["a directory in place of a link, with a slash", [link("a", "O/sub"), dir("a/"), { path: "a/file", ...evil }]],
  ["a directory below a link", [link("a", "O"), dir("a/sub"), dir("a/new")]],
  ["a hard link to a file of the host", [hard("a", "O/secret"), { path: "a", ...evil }]],
  ["a hard link with ..", [hard("a", `${up}O/secret`)]],
  ["a hard link below a link", [link("a", "O"), hard("b", "a/secret"), { path: "b", ...evil }]],
  ["a hard link to a link", [link("a", "O/secret"), hard("b", "a"), { path: "b", ...evil }]],
  ["a hard link made below a link", [link("a", "O"), { path: "f", ...evil }, hard("a/f", "f")]],
  ["a path with ..", [{ path: `${up}O/new`, ...evil }]],
  ["a path with .. behind a directory", [dir("d"), { path: `d/../${up}O/secret`, ...evil }]],
  ["an absolute path", [{ path: "O/secret", ...evil }]],
  ["a path with .. behind a link", [link("a", "O/sub"), { path: "a/../secret", ...evil }]],
  ["a path of PAX with ..", [{ path: "x", pax: { path: `${up}O/new` }, ...evil }]],
  ["a target of PAX", [{ path: "a", type: "hardlink", link: "x", pax: { linkpath: "O/secret" } }]],
  ["a whiteout below a link", [link("a", "O")], [{ path: "a/.wh.secret" }]],
  ["an opaque directory behind a link", [link("a", "O")], [{ path: "a/.wh..wh..opq" }]],
  ["whiteouts of . and ..", [dir("d")], [{ path: "d/.wh..." }, { path: "d/.wh.." }, { path: "d/.wh." }]],
  ["a whiteout with ..", [{ path: `${up}O/.wh.secret` }]],
  ["a link in one layer, a file through it in the next", [link("a", "O")], [{ path: "a/secret", ...evil }]],
  [
    "a link in place of a directory of the layer below",
    [dir("a"), { path: "a/f" }],
    [link("a", "O"), { path: "a/f", ...evil }],
  ],
  ["attributes through a link", [link("a", "O/secret"), { path: "a", xattrs: { "user.evil": "x" }, ...evil }]],
  [
    "a device and a FIFO below a link",
    [link("a", "O"), { path: "a/d", type: "char", device: [1, 5] }, { path: "a/p", type: "fifo" }],
  ],
  ["links below a link", [link("a", "O"), link("a/new", "x"), link("a/secret", "x")]],
  [
    "a link that is replaced while below it",
    [dir("a"), link("a/b", "O"), dir("a/b"), { path: "a/b/secret", ...evil }, link("a/b", "O")],
  ],
  ["the root as a link", [link(".", "O"), link("./", "O"), { path: "secret", ...evil }]],
  ["the root as a file and with a mode", [{ path: ".", ...evil }, { path: "/", ...evil }, dir("..")]],
  ["magic links of procfs", [link("a", "/proc/self/root"), { path: "aO/secret", ...evil }]],
  ["a working directory of procfs", [link("a", "/proc/self/cwd"), { path: `a/${up}O/secret`, ...evil }]],
  [
    "case and Unicode twins",
    [link("\u00e9", "O"), { path: "e\u0301/secret", ...evil }, link("Aa", "O"), { path: "aa/new", ...evil }],
  ],
];

/** Those that no honest tool writes are refused; the others are unpacked inside of the layer's own directory. */
export const refused: ReadonlyMap<string, string> = new Map([
  ...[
    "a hard link with ..",
    "a path with ..",
    "a path with .. behind a directory",
    "a path of PAX with ..",
    "whiteouts of . and ..",
    "a whiteout with ..",
    "the root as a link",
    "the root as a file and with a mode",
    "a working directory of procfs",
  ].map((name) => [name, "invalid-argument"] as const),
  // Absolute targets are looked for inside of the layer.
  ...["a hard link below a link", "a hard link to a file of the host", "a target of PAX"].map(
    (name) => [name, "not-found"] as const,
  ),
]);
