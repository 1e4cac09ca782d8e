/** Every bound on what an image may be: it can be set, and says what was too much. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ImagesOptions } from "#images";
import { FaultProxy } from "../support/fault-proxy.ts";
import { ImageRoot } from "../support/image-root.ts";
import { testImage } from "../support/images.ts";
import { Registry } from "../support/registry.ts";

let registry: Registry;
beforeAll(async () => {
  registry = await Registry.start();
  await registry.push(await testImage("configured"), "app:1");
});
afterAll(async () => await registry[Symbol.asyncDispose]());

test.each<[string, NonNullable<ImagesOptions["limits"]>, RegExp]>([
  ["a manifest's size", { documentSize: 300 }, /document sha256:\w+ has \d+ bytes, at most 300 are allowed$/],
  ["a configuration's size", { documentSize: 700 }, /document sha256:\w+ has \d+ bytes, at most 700 are allowed$/],
  ["the number of layers", { layers: 1 }, /it has 2 layers, at most 1 are allowed$/],
  ["a layer's size", { size: 100_000 }, /it unpacks to more than 100000 bytes$/],
  ["its expansion", { ratio: 1, ratioFrom: 1 }, /it unpacks to more than \d+ bytes$/],
  ["its entries", { archive: { entries: 2 } }, /more than 2 entries/],
  ["the length of names", { archive: { nameBytes: 4 } }, /more than 4 bytes of a name/],
  ["the depth of paths", { archive: { depth: 1 } }, /".+" leads through more than 1 directories$/],
  ["its content", { archive: { totalBytes: 1000 } }, /1000/],
])("Images.pull() bounds %s", async (_, limits, message) => {
  await using root = await ImageRoot.create({ limits });
  const failure: unknown = await root.images.pull(`${registry.address}/app:1`).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "resource-exhausted", message: expect.stringMatching(message) });
  expect(await root.contents()).toEqual({ blobs: 0, ingests: 0, layers: 0, temporary: 0 });
});

test("Images.pull() bounds an answer's headers", async () => {
  await using proxy = await FaultProxy.start(registry.address, [
    { fault: { kind: "headers", headers: { "X-Long": "x".repeat(10_000) } } },
  ]);
  await using root = await ImageRoot.create({ registry: { maxHeaderSize: 5000, retry: { attempts: 1 } } });
  await expect(root.images.pull(`${proxy.address}/app:1`)).rejects.toMatchObject({
    message: `Cannot pull "${proxy.address}/app:1": the headers of ${proxy.address}'s answer are too long`,
  });
  await using other = await ImageRoot.create();
  expect(await other.images.pull(`${proxy.address}/app:1`)).toMatchObject({ changed: true });
});
