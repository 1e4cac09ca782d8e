import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { resolveSecrets, secretFiles, type SecretOption } from "./secrets.ts";

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "secrets-"))));
afterEach(() => rmSync(directory, { recursive: true }));

const secret = (options: Partial<SecretOption>): SecretOption => ({
  name: "one",
  target: "/run/secrets/one",
  source: { data: "x" },
  ...options,
});

describe("resolveSecrets()", () => {
  it("keeps where a file is, and nothing of what other sources hold", () => {
    const file = join(directory, "f");
    writeFileSync(file, "content");
    const list = [
      secret({ source: { file }, mode: 0o400, uid: 3, gid: 4 }),
      secret({ name: "two", target: "/two", source: { data: "hidden" } }),
    ];
    const resolved = resolveSecrets(list);
    expect(resolved).toStrictEqual([
      { name: "one", target: "/run/secrets/one", file, uid: 3, gid: 4, mode: 0o400 },
      { name: "two", target: "/two", file: undefined, uid: 0, gid: 0, mode: 0o444 },
    ]);
    expect(JSON.stringify(resolved)).not.toContain("hidden");
    expect(secretFiles(list).map(({ path, data }) => [path, Buffer.from(data).toString()])).toStrictEqual([
      ["/run/secrets/one", "content"],
      ["/two", "hidden"],
    ]);
  });

  it.each([
    [[secret({ name: "../x" })], "its name may have letters"],
    [[secret({ target: "relative" })], "it is not an absolute path"],
    [[secret({ target: "/a/../b" })], "it is not an absolute path"],
    [[secret({ mode: 0o4755 })], "it has at most rwxrwxrwx"],
    [[secret({}), secret({})], "another one is there"],
    [[secret({ source: { env: "SAMPAN_NOT_SET" } })], 'variable "SAMPAN_NOT_SET" is not set'],
    [[secret({ source: { file: "/no/such" } })], 'Cannot read secret "one" from "/no/such"'],
    [[secret({ source: { data: new Uint8Array(500 * 1024 + 1) } })], "more than 500 KiB"],
  ])("refuses %#", (options, problem) => {
    expect(() => resolveSecrets(options)).toThrow(problem);
  });
});
