import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { defaultLimits, TarReader } from "#archive";
import { readElf } from "./elf.ts";
import { librariesOf } from "./libraries.ts";
import { nodeImage, pinnedNode } from "./node-image.ts";
import { writeTar, type TarEntry } from "./tar-writer.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sampan-builtin-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

test("readElf() finds the loader and libraries of the running Node", () => {
  const { interpreter, needed } = readElf(process.execPath);
  expect(interpreter).toMatch(/^\/lib/);
  expect(needed.some((name) => name.startsWith("libc."))).toBe(true);
});

test.each([
  ["an empty file", ""],
  ["a script", "#!/bin/sh\n"],
  ["a header without anything behind it", `\x7fELF\x02\x01${"\0".repeat(26)}\x40${"\xff".repeat(40)}`],
])("readElf() refuses %s", (_, content) => {
  const path = join(directory, "file");
  writeFileSync(path, content, "latin1");
  expect(() => readElf(path)).toThrow(
    expect.objectContaining({
      code: "unsupported",
      message: `Cannot read "${path}": it is no 64-bit little-endian ELF file`,
    }),
  );
});

test("librariesOf() finds what the loader finds", () => {
  // ld.so(8): it lists what it loads, and runs nothing.
  const env = { LD_TRACE_LOADED_OBJECTS: "1" };
  const listed = execFileSync(process.execPath, [], { encoding: "utf8", env });
  const names = [...listed.matchAll(/(\/\S+) \(0x/g)].map((match) => basename(match[1] ?? ""));
  expect(names).toContain("libc.so.6");
  expect(
    librariesOf(process.execPath)
      .map((path) => basename(path))
      .sort(),
  ).toEqual(names.sort());
});

test("nodeImage() lists every directory before what is in it", () => {
  const { path, version } = pinnedNode();
  const { entries, config } = nodeImage(path, version);
  const made = new Set(["."]);
  for (const entry of entries) {
    const parent = entry.path.includes("/") ? entry.path.slice(0, entry.path.lastIndexOf("/")) : ".";
    expect(made).toContain(parent);
    if (entry.kind === "directory") made.add(entry.path);
  }
  expect(new Set(entries.map((entry) => entry.path)).size).toBe(entries.length);
  expect(config.Env).toContain(`NODE_VERSION=${version}`);
});

describe("writeTar", () => {
  async function read(entries: readonly TarEntry[]): Promise<unknown[]> {
    const reader = new TarReader(writeTar(entries, 1_700_000_000), defaultLimits);
    const found: unknown[] = [];
    for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
      const { name, type, mode, uid, gid, linkname, modified } = entry;
      let content = "";
      for (let part = await reader.read(); part !== undefined; part = await reader.read()) {
        content += Buffer.from(part.data).toString();
      }
      found.push({ name, type, mode, uid, gid, linkname, content, modified: Number(modified.seconds) });
    }
    return found;
  }

  test("writes what a reader reads", async () => {
    const source = join(directory, "source");
    writeFileSync(source, "s".repeat(513));
    const long = `${"d".repeat(90)}/${"n".repeat(90)}`;
    const common = { uid: 0, gid: 0, linkname: "", content: "", modified: 1_700_000_000 };
    expect(
      await read([
        { kind: "directory", path: "home", mode: 0o1777, owner: 1000 },
        { kind: "bytes", path: long, mode: 0o644, bytes: Buffer.from("text") },
        { kind: "file", path: "file", mode: 0o755, source, size: 513 },
        { kind: "symlink", path: "link", target: "file" },
      ]),
    ).toEqual([
      { ...common, name: "home/", type: "directory", mode: 0o1777, uid: 1000, gid: 1000 },
      { ...common, name: long, type: "file", mode: 0o644, content: "text" },
      { ...common, name: "file", type: "file", mode: 0o755, content: "s".repeat(513) },
      { ...common, name: "link", type: "symlink", mode: 0o777, linkname: "file" },
    ]);
  });

  test("refuses a file that became shorter, and a path that is too long", async () => {
    const source = join(directory, "source");
    writeFileSync(source, "short");
    await expect(read([{ kind: "file", path: "a", mode: 0o644, source, size: 100 }])).rejects.toThrow(
      `Cannot archive "${source}": it changes`,
    );
    const path = "x".repeat(101);
    await expect(read([{ kind: "directory", path, mode: 0o755 }])).rejects.toThrow(
      `Cannot archive "${path}/": the path is too long`,
    );
  });
});
