import { afterAll, beforeAll, expect, test } from "vitest";
import { StockedHost } from "../support/stocked-host.ts";

let stocked: StockedHost;
let busybox = "";
beforeAll(async () => {
  stocked = await StockedHost.create(["busybox"]);
  busybox = stocked.image("busybox");
});
afterAll(() => stocked[Symbol.asyncDispose]());

test("sampan container prune removes what has ended and fits the filters, and nothing that runs", async () => {
  await stocked.must(["container", "run", "--name", "kept", "--label", "keep=yes", busybox, "true"]);
  await stocked.must(["run", "--name", "ended", busybox, "true"]);
  await stocked.must(["run", "-d", "--name", "runs", busybox, "sleep", "100"]);
  const left = async (): Promise<readonly string[]> =>
    (await stocked.must(["container", "ls", "-a", "--format", "{{.Names}}"])).split("\n").toSorted();

  expect(await stocked.must(["container", "prune", "-f", "--filter", "until=24h"])).toBe("");
  expect(await left()).toEqual(["ended", "kept", "runs"]);
  const { Id } = await stocked.inspect("ended");
  expect(await stocked.must(["container", "prune", "-f", "--filter", "label!=keep"])).toBe(Id);
  expect(await left()).toEqual(["kept", "runs"]);
  await stocked.must(["container", "prune", "-f"]);
  expect(await left()).toEqual(["runs"]);
  await stocked.must(["container", "rm", "-f", "runs"]);
});
