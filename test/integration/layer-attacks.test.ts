import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { SampanError } from "#errdefs";
import { KeelExecutor } from "#keel";
import { applyLayer } from "#archive";
import { chunked, tarOf, type WrittenEntry } from "../../src/archive/tar-writer.ts";
import { withoutOpenat2 } from "../support/old-kernel.ts";
import { scratch } from "../support/mounts.ts";
import { readTree } from "../support/tree.ts";

let directory: string;
let root: string;
/** What no layer may change: beside the root, and named by absolute paths in the layers. */
let host: string;

beforeEach(() => {
  directory = scratch();
  root = join(directory, "root");
  host = join(directory, "host");
  mkdirSync(root);
  mkdirSync(join(host, "sub"), { recursive: true });
  writeFileSync(join(host, "secret"), "secret", { mode: 0o600 });
  writeFileSync(join(host, "sub/file"), "file");
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const executors = { openat2: new KeelExecutor(), "a kernel without openat2": new KeelExecutor(withoutOpenat2()) };
afterAll(async () => {
  for (const executor of Object.values(executors)) await executor[Symbol.asyncDispose]();
});

for (const [name, executor] of Object.entries(executors))
  for (const overlay of [true, false])
    describe(`layers that attack the host, with ${name}, ${overlay ? "as overlay" : "on a copy"}`, () => {
      /** Applies a layer; gives "made" or the error's code and message. */
      async function apply(...entries: WrittenEntry[]): Promise<string> {
        try {
          await using sink = await executor.openLayer(root, { overlay });
          await applyLayer(chunked(tarOf(...entries)), sink);
        } catch (error) {
          if (error instanceof SampanError) return `${error.code}: ${error.message}`;
          throw error;
        }
        return "made";
      }

      /** Applies a layer, and expects the host to be as it was. */
      async function attack(...entries: WrittenEntry[]): Promise<string> {
        const before = readTree(host);
        const result = await apply(...entries);
        expect(readTree(host)).toEqual(before);
        return result;
      }

      const link = (path: string, target: string): WrittenEntry => ({ name: path, type: "2", linkname: target });

      it("an absolute link as a parent stays in the root (CVE-2019-14271, CVE-2014-9356)", async () => {
        expect(await attack(link("x", host), { name: "x/new", data: "evil" })).toBe("made");
        // It is what the link means inside: the missing directories are made there.
        expect(readFileSync(join(root, host, "new"), "utf8")).toBe("evil");
      });

      it("a relative link as a parent stays in the root", async () => {
        expect(
          await attack(link("x", "../../../../../../../..".concat(host)), { name: "x/sub/file", data: "evil" }),
        ).toBe("made");
        expect(readFileSync(join(root, host, "sub/file"), "utf8")).toBe("evil");
      });

      it("links through links stay in the root", async () => {
        await attack(
          { name: "d", type: "5" },
          link("d/up", ".."),
          link("d/up2", "up/.."),
          link("x", "d/up2/../../.."),
          { name: `x${host}/secret`, data: "evil" },
          { name: "x/etc/sampan-test-evil", data: "evil" },
        );
        expect(readFileSync(join(root, "etc/sampan-test-evil"), "utf8")).toBe("evil");
        expect(() => lstatSync("/etc/sampan-test-evil")).toThrow("ENOENT");
      });

      it("a file replaces a link, and does not write through it", async () => {
        expect(await attack(link("x", join(host, "secret")), { name: "x", data: "evil", mode: 0o777 })).toBe("made");
        expect(lstatSync(join(root, "x")).isFile()).toBe(true);
      });

      it("a directory replaces a link, and does not change what it points to (CVE-2021-32760)", async () => {
        expect(await attack(link("x", host), { name: "x", type: "5", mode: 0o777, uid: 5, mtime: 5 })).toBe("made");
        expect(lstatSync(join(root, "x")).isDirectory()).toBe(true);
      });

      it("a hard link to a link is a name of the link, and a file replaces it", async () => {
        const result = await attack(
          link("x", join(host, "secret")),
          { name: "y", type: "1", linkname: "x" },
          { name: "y", data: "evil", mode: 0o4777, pax: [["SCHILY.xattr.user.a", "b"]] },
        );
        expect(result).toBe("made");
        expect(lstatSync(join(root, "x")).isSymbolicLink()).toBe(true);
      });

      it("a hard link through a link to the host finds nothing", async () => {
        expect(await attack(link("x", host), { name: "y", type: "1", linkname: "x/secret" })).toMatch(
          /^not-found: .*y \(hard link to x\/secret\)/,
        );
      });

      it("a device or FIFO replaces a link", async () => {
        const result = await attack(
          link("x", join(host, "secret")),
          { name: "x", type: "3", major: 1, minor: 3, mode: 0o666 },
          link("y", join(host, "secret")),
          { name: "y", type: "6", mode: 0o666 },
        );
        expect(result).toBe("made");
      });

      it("whiteouts and opaque directories through links hide nothing of the host (CVE-2019-19921)", async () => {
        await attack(
          link("x", host),
          { name: "x/.wh.secret" },
          { name: "x/sub/.wh..wh..opq" },
          { name: "x/.wh..wh..opq" },
        );
        await attack({ name: ".wh.x" }, link("x", host), { name: "x/.wh.sub" });
      });

      it("attributes of what is named twice are those of the last, and stay in the root", async () => {
        const result = await attack(
          { name: "x", data: "one" },
          link("x", host),
          { name: "x", type: "5", mode: 0o700 },
          link("x", join(host, "secret")),
          { name: "x", data: "last", mode: 0o640 },
        );
        expect(result).toBe("made");
        expect([readFileSync(join(root, "x"), "utf8"), lstatSync(join(root, "x")).mode & 0o7777]).toEqual([
          "last",
          0o640,
        ]);
      });

      it("a new file does not change what another name of the old one has", async () => {
        expect(
          await apply({ name: "a", data: "old" }, { name: "b", type: "1", linkname: "a" }, { name: "a", data: "new" }),
        ).toBe("made");
        expect([readFileSync(join(root, "a"), "utf8"), readFileSync(join(root, "b"), "utf8")]).toEqual(["new", "old"]);
      });

      it("links in a circle are refused", async () => {
        expect(await attack(link("a", "b"), link("b", "a"), { name: "a/x", data: "evil" })).toMatch(/^[a-z-]+: .*a/);
      });

      it("a file as a parent is refused", async () => {
        expect(await attack({ name: "a", data: "x" }, { name: "a/b", data: "y" })).toMatch(/^[a-z-]+: .*a/);
      });

      it("names as long as the kernel takes them are made, and removed", async () => {
        const deep = Array.from({ length: 2000 }, () => "d").join("/");
        expect(await apply({ name: "x", data: "deep", pax: [["path", `${deep}/file`]] })).toBe("made");
        expect(readFileSync(join(root, deep, "file"), "utf8")).toBe("deep");
        // Through a link it becomes deeper than one path can say.
        expect(await apply(link("l", deep), { name: "y", pax: [["path", `l/${deep}/file`]] })).toBe("made");
        await executors.openat2.execute([{ op: "remove-tree", path: join(root, "d") }]);
        expect(() => lstatSync(join(root, "d"))).toThrow("ENOENT");
      });

      it("a link that is there before, in the root itself, stays in the root too", async () => {
        symlinkSync(host, join(root, "x"));
        expect(await attack({ name: "x/secret", data: "evil" }, { name: "x/.wh.sub" })).toBe("made");
      });

      it("overlayfs' own attributes are not set", async () => {
        await apply({
          name: "d",
          type: "5",
          pax: [
            ["SCHILY.xattr.trusted.overlay.redirect", "/"],
            ["SCHILY.xattr.user.kept", "x"],
          ],
        });
        const names = execFileSync("getfattr", ["-d", "-m", "-", "--absolute-names", join(root, "d")], {
          encoding: "utf8",
        });
        expect(names).toContain("user.kept");
        expect(names).not.toContain("overlay");
      });
    });
