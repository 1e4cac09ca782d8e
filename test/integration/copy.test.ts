import { mkdtemp, rm } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { copyImage, parsePlace } from "#images";
import { Registry as Client } from "#remotes";
import { openOutput } from "../../src/cli/output-file.ts";
import { testImage } from "../support/images.ts";
import { mustHere } from "../support/process.ts";
import { Registry } from "../support/registry.ts";

let registry: Registry;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp("/var/tmp/sampan-copy-");
  registry = await Registry.start();
  await registry.push(await testImage("multi"), "multi:1", ["--multi-arch", "all"]);
  await registry.push(await testImage("layers"), "layers:1", ["--preserve-digests"]);
  await registry.push(await testImage("layers"), "layers:2", ["--preserve-digests"]);
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

const copy = async (from: string, to: string, all = false): Promise<string> => {
  using client = new Client();
  return await copyImage(parsePlace(from), parsePlace(to), {
    registry: client,
    all,
    platform: undefined,
    onProgress: undefined,
    signal: new AbortController().signal,
    openSink: openOutput,
  });
};
const raw = async (name: string): Promise<string> =>
  await mustHere(["skopeo", "inspect", "--raw", "--tls-verify=false", name]);

test("copyImage() takes an index from registry to folder to registry, byte for byte", async () => {
  const source = `docker://${registry.address}/multi:1`;
  const layout = `oci:${directory}/layout:multi`;
  const target = `docker://${registry.address}/copied:1`;
  const digest = await copy(source, layout, true);
  expect(await raw(layout)).toBe(await raw(source));
  expect(await copy(layout, target, true)).toBe(digest);
  expect(await raw(target)).toBe(await raw(source));
  await mustHere(["skopeo", "--insecure-policy", "copy", "-q", "--multi-arch", "all", layout, `dir:${directory}/dir`]);
});

test("copyImage() takes one platform unless it is to take all", async () => {
  await copy(`docker://${registry.address}/multi:1`, `oci:${directory}/one:x`);
  expect(JSON.parse(await raw(`oci:${directory}/one:x`))).toHaveProperty("config");
});

test("copyImage() writes archives that skopeo reads, and reads those that it writes", async () => {
  const source = `docker://${registry.address}/layers:1`;
  await copy(source, `docker-archive:${directory}/ours.tar:layers:7`);
  expect(await raw(`oci-archive:${directory}/ours.tar:7`)).toBe(await raw(source));
  await mustHere(["skopeo", "inspect", `docker-archive:${directory}/ours.tar:layers:7`]);
  const theirs = `oci-archive:${directory}/theirs.tar:layers:8`;
  await mustHere([
    "skopeo",
    "--insecure-policy",
    "copy",
    "-q",
    "--src-tls-verify=false",
    "--preserve-digests",
    source,
    theirs,
  ]);
  await copy(theirs, `docker://${registry.address}/back:1`);
  expect(await raw(`docker://${registry.address}/back:1`)).toBe(await raw(source));
  await expect(copy(`oci-archive:${directory}/theirs.tar:other:1`, `oci:${directory}/x`)).rejects.toMatchObject({
    code: "not-found",
  });
});

test("Registry.tags() and referrers() ask a real registry", async () => {
  using client = new Client();
  const { parseReference } = await import("#spec");
  const reference = parseReference(`${registry.address}/layers:1`);
  expect((await client.tags(reference)).toSorted()).toEqual(["1", "2"]);
  const { digest } = await client.resolve(reference);
  expect(await client.referrers(reference, digest)).toEqual([]);
  await expect(client.tags(parseReference(`${registry.address}/absent`))).rejects.toMatchObject({ code: "not-found" });
});

test("parsePlace() refuses what is no place", () => {
  for (const wrong of ["debian", "docker:debian", "oci:", "dir:/x", "docker://UPPER"])
    expect(() => parsePlace(wrong), wrong).toThrow(/^Cannot use/);
});
