import { expect, test } from "vitest";
import type { ImageStore, ImageSummary } from "./image-store.ts";
import { parseFilters } from "./filter.ts";

const image = (name: string | undefined, created: string): ImageSummary =>
  ({ name, created, id: `sha256:${name}` }) as ImageSummary;
const list = [
  image("docker.io/library/debian:12", "2024-05-01T00:00:00Z"),
  image("docker.io/library/debian:13", "2025-05-01T00:00:00Z"),
  image("quay.io/team/tool.x:1", "2023-01-01T00:00:00+02:00"),
  image(undefined, ""),
];
const store = {
  resolve: () => ({ config: { created: "2024-05-01T00:00:00Z" } }),
  configOf: (id: string) => ({ config: { labels: new Map(id.includes("tool") ? [["a", "b=c"]] : []) } }),
} as unknown as ImageStore;
const pick = (...filters: string[]) => list.filter(parseFilters(filters, store)).map(({ name }) => name);

test("parseFilters() takes names by patterns, of which one must fit", () => {
  expect(pick("reference=debian")).toEqual(["docker.io/library/debian:12", "docker.io/library/debian:13"]);
  expect(pick("reference=debian:1[3-9]", "reference=quay.io/*/tool.?:1")).toEqual([
    "docker.io/library/debian:13",
    "quay.io/team/tool.x:1",
  ]);
  expect(pick("reference=quay.io/*")).toEqual([]);
  expect(pick("reference=quay.io/team/toolxx:1")).toEqual([]);
});

test("parseFilters() takes labels, times and dangling images, all of which must fit", () => {
  expect(pick("since=debian:12")).toEqual(["docker.io/library/debian:13"]);
  expect(pick("before=debian:12")).toEqual(["quay.io/team/tool.x:1"]);
  expect(pick("label=a")).toEqual(["quay.io/team/tool.x:1"]);
  expect(pick("label=a=b=c", "dangling=false")).toEqual(["quay.io/team/tool.x:1"]);
  expect(pick("label=a=b")).toEqual([]);
  expect(pick("dangling=true")).toEqual([undefined]);
});

test("parseFilters() refuses what it does not know", () => {
  for (const wrong of ["colour=red", "dangling", "dangling=maybe", "reference=[z-a]"]) {
    expect(() => pick(wrong), wrong).toThrow(/^Cannot parse --filter/);
  }
});
