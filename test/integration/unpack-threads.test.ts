/** Layers that are unpacked in threads come out as without, and fail as without. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SampanError } from "#errdefs";
import { FaultProxy } from "../support/fault-proxy.ts";
import { ImageRoot, listing } from "../support/image-root.ts";
import { testImage } from "../support/images.ts";
import { Registry } from "../support/registry.ts";

let registry: Registry;
beforeAll(async () => {
  registry = await Registry.start();
  for (const name of ["layers", "zstd", "uncompressed"] as const)
    await registry.push(await testImage(name), `${name}:1`, ["--preserve-digests"]);
});
afterAll(() => registry[Symbol.asyncDispose]());

const withThreads = { threadsFrom: 0 };

describe("Images.pull with threads", () => {
  for (const name of ["layers", "zstd", "uncompressed"] as const)
    test(`unpacks "${name}" as without`, async () => {
      await using plain = await ImageRoot.create();
      await using root = await ImageRoot.create(withThreads);
      const reference = `${registry.address}/${name}:1`;
      const expected = await plain.inside((await plain.images.pull(reference)).chainId, listing);
      expect(await root.inside((await root.images.pull(reference)).chainId, listing)).toBe(expected);
      expect(await root.images.check()).toEqual([]);
    });

  test("says what is wrong with a layer, and leaves nothing of it", async () => {
    await using proxy = await FaultProxy.start(registry.address);
    const failures: unknown[] = [];
    const limits = { size: 4096 };
    for (const options of [{}, withThreads]) {
      await using root = await ImageRoot.create({ ...options, limits });
      failures.push(
        await root.images.pull(`${proxy.address}/zstd:1`).catch((error: unknown) => ({
          // Which of its layers is the first may differ.
          message: (error as Error).message.replace(/sha256:[0-9a-f]+/, "DIGEST"),
          fields: { ...(error as SampanError).fields, path: "" },
        })),
      );
      expect(await root.contents()).toEqual({ blobs: 0, ingests: 0, layers: 0, temporary: 0 });
    }
    expect(failures[0]).toMatchObject({ message: expect.stringContaining("unpacks to more than") });
    expect(failures[1]).toEqual(failures[0]);
  });

  test("is cancelled at once", async () => {
    await using proxy = await FaultProxy.start(registry.address);
    await using root = await ImageRoot.create(withThreads);
    const abort = new AbortController();
    const pull = root.images.pull(`${proxy.address}/layers:1`, {
      signal: abort.signal,
      onProgress: ({ status }) => status === "pulling" && abort.abort(),
    });
    await expect(pull).rejects.toMatchObject({ code: "cancelled" });
    expect((await root.contents()).layers).toBe(0);
  });
});
