import { afterAll, beforeAll, expect, test } from "vitest";
import { StockedHost } from "../support/stocked-host.ts";

let stocked: StockedHost;
beforeAll(async () => {
  stocked = await StockedHost.create(["busybox", "configured"]);
});
afterAll(async () => stocked[Symbol.asyncDispose]());

const lines = async (...args: string[]): Promise<readonly string[]> =>
  (await stocked.must(args)).split("\n").filter((line) => line !== "");
const objects = async (...args: string[]): Promise<readonly Record<string, unknown>[]> =>
  (await lines(...args)).map((line) => JSON.parse(line) as Record<string, unknown>);

test("sampan tag gives names, which images and image inspect show", async () => {
  const name = stocked.image("busybox");
  await stocked.must(["tag", name, "localhost/mine:2", "team/app"]);
  const repository = name.slice(0, name.lastIndexOf(":"));
  const [details] = await objects("image", "inspect", "--format", "json", "localhost/mine:2");
  expect(details).toMatchObject({
    RepoTags: [name, "docker.io/team/app:latest", "localhost/mine:2"],
    RepoDigests: [
      expect.stringMatching(`^${repository}@sha256:`),
      expect.stringMatching("^docker.io/team/app@sha256:"),
      expect.stringMatching("^localhost/mine@sha256:"),
    ],
  });
  const wrong = await stocked.host.sampan(["tag", name, `x@sha256:${"0".repeat(64)}`]);
  expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining("a digest says itself") });
  await stocked.must(["image", "rm", "localhost/mine:2", "team/app"]);
});

test("sampan images filters by name, label, time and whether a name is there", async () => {
  const repositories = async (...filters: string[]): Promise<readonly unknown[]> =>
    (await objects("images", "--format", "json", ...filters.flatMap((f) => ["--filter", f])))
      .map(({ Repository }) => (Repository as string).replace(/.*\//, ""))
      .toSorted();
  expect(await repositories()).toEqual(["busybox", "configured"]);
  expect(await repositories(`reference=${stocked.registry.address}/busy*`)).toEqual(["busybox"]);
  expect(await repositories("reference=*/conf*:1")).toEqual(["configured"]);
  expect(await repositories("reference=busybox")).toEqual([]);
  expect(await repositories("label=org.example.purpose=test")).toEqual(["configured"]);
  expect(await repositories("label=org.example.purpose=other")).toEqual([]);
  expect(await repositories("dangling=true")).toEqual([]);
  expect(await repositories("dangling=false", "label=org.example.purpose")).toEqual(["configured"]);
  const wrong = await stocked.host.sampan(["images", "--filter", "colour=red"]);
  expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('Cannot parse --filter "colour=red"') });
  expect((await lines("images", "-q", "--no-trunc"))[0]).toMatch(/^sha256:[0-9a-f]{64}$/);
});

test("sampan history shows each layer with its size, the newest first", async () => {
  const entries = await objects("history", "--format", "json", "--no-trunc", stocked.image("configured"));
  const layers = entries.filter(({ Layer }) => Layer !== "<none>");
  expect(layers).toHaveLength(2);
  for (const { Layer, Size } of layers) {
    expect(Layer).toMatch(/^sha256:/);
    expect(Size).toBeGreaterThan(0);
  }
  expect(layers[1]?.["Size"]).toBeGreaterThan(layers[0]?.["Size"] as number);
  expect(entries.some(({ CreatedBy }) => CreatedBy !== "")).toBe(true);
  expect((await lines("history", stocked.image("configured")))[0]).toMatch(/^LAYER +CREATED +CREATED BY +SIZE$/);
});
