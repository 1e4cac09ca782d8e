import { expect, test } from "vitest";
import { Slots } from "./slots.ts";
import { TokenBucket } from "./throttle.ts";

test("TokenBucket lets a rate through, however it comes, and saves up little in a pause", () => {
  const bucket = new TokenBucket(1000, 0);
  let now = 0;
  let passed = 0;
  for (const bytes of [50, 400, 1, 1, 248, 1000, 3000]) {
    passed += bytes;
    now += bucket.take(bytes, now);
    // A tenth of a second of it may come early.
    expect(passed).toBeLessThanOrEqual(Math.round(now) + 100);
  }
  expect([Math.round(now), passed]).toEqual([4600, 4700]);
  expect([bucket.take(100, now + 60_000), bucket.take(100, now + 60_000)]).toEqual([0, 100]);
});

test("Slots are given in the order of asking, and one that gives up takes none", async () => {
  const slots = new Slots(1);
  const order: string[] = [];
  const give = await slots.take("a", undefined);
  const other = await slots.take("b", undefined);
  const abort = new AbortController();
  const take = async (name: string, signal?: AbortSignal): Promise<void> => {
    const back = await slots.take("a", signal);
    order.push(name);
    back();
    back();
  };
  const waiting = [take("first"), take("second", abort.signal).catch(() => order.push("gave up")), take("third")];
  abort.abort();
  give();
  other();
  await Promise.all(waiting);
  expect(order).toEqual(["first", "gave up", "third"]);
});
