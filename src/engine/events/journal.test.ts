import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDatabase } from "#images";
import { encodeEvent, type EngineEvent } from "./event.ts";
import { Journal } from "./journal.ts";
import { readEvents } from "./read-journal.ts";

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "journal-"))));
afterEach(() => rmSync(directory, { recursive: true }));

const take = async (events: AsyncGenerator<EngineEvent>, count: number): Promise<EngineEvent[]> => {
  const taken: EngineEvent[] = [];
  while (taken.length < count) {
    const { value, done } = await events.next();
    if (done === true) break;
    taken.push(value);
  }
  return taken;
};
const all = (): boolean => true;

describe("Journal and readEvents()", () => {
  it("a follower gets each event once and in order, across files, and disk use is bounded", async () => {
    using database = openDatabase(join(directory, "db"));
    // Two, as two processes have them.
    const journals = [new Journal(join(directory, "j"), database), new Journal(join(directory, "j"), database)];
    const [first] = journals as [Journal, Journal];
    first.emit("volume", "create", "before", {});
    const events = readEvents(first, all, {});
    const seen: string[] = [];
    const filler = "x".repeat(1000);
    for (let n = 0; n < 6000; n += 1) {
      journals[n % 2]?.emit("volume", "create", String(n), { filler });
      if (n % 500 === 499) seen.push(...(await take(events, 500)).map((e) => e.id));
    }
    await events.return();
    expect(seen).toStrictEqual(Array.from({ length: 6000 }, (_, n) => String(n)));
    const names = readdirSync(join(directory, "j"));
    expect(names.toSorted()).toStrictEqual(["events", "events.1", "events.2"]);
    for (const name of names) expect(statSync(join(directory, "j", name)).size).toBeLessThan(1.1 * 1024 * 1024);
  });

  it("sees what comes late to a file that was renamed, and skips what is no record", async () => {
    using database = openDatabase(join(directory, "db"));
    const journal = new Journal(join(directory, "j"), database);
    const events = readEvents(journal, all, {});
    const filler = "x".repeat(4000);
    for (let n = 0; n < 300; n += 1) journal.emit("volume", "create", String(n), { filler });
    expect(await take(events, 300)).toHaveLength(300);
    const late: EngineEvent = { type: "volume", action: "destroy", id: "late", attributes: {}, time: 1n };
    appendFileSync(join(directory, "j", "events.1"), `{"half\n${encodeEvent(late)}\n`);
    expect((await take(events, 1))[0]).toStrictEqual(late);
    await events.return();
  });

  it("since gives what is past, until ends, and filters and names that changed are minded", async () => {
    using database = openDatabase(join(directory, "db"));
    const journal = new Journal(join(directory, "j"), database);
    const now = BigInt(Date.now()) * 1_000_000n;
    const line = (action: string, time: bigint, told?: string): string => {
      const common = { type: "container", action, id: "c", attributes: { name: action === "rename" ? "new" : "old" } };
      return `${JSON.stringify(told === undefined ? { ...common, time: String(time) } : { ...common, told })}\n`;
    };
    const seconds = now / 1_000_000_000n;
    journal.emit("volume", "create", "v", {});
    appendFileSync(
      join(directory, "j", "events"),
      line("start", 0n, `${seconds - 60n} 000000000`) +
        line("rename", now - 50_000_000_000n) +
        line("die", 0n, `3 0 0 ${seconds - 20n} 000000000`),
    );
    const until = Date.now() - 1000;
    const since = until - 100_000;
    const past = await take(
      readEvents(journal, (e) => e.type === "container", { since, until }),
      9,
    );
    expect(past.map((e) => [e.action, e.attributes])).toStrictEqual([
      ["start", { name: "old" }],
      ["rename", { name: "new" }],
      ["die", { name: "new", exitCode: "3", execDuration: "40" }],
    ]);
    const recent = await take(readEvents(journal, all, { since: until - 30_000, until }), 9);
    expect(recent.map((e) => e.action)).toStrictEqual(["die"]);
  });

  it("ends at the signal, also while it waits", async () => {
    using database = openDatabase(join(directory, "db"));
    const journal = new Journal(join(directory, "j"), database);
    const abort = new AbortController();
    const events = readEvents(journal, all, { signal: abort.signal });
    const next = events.next();
    setTimeout(() => abort.abort(), 20);
    expect((await next).done).toBe(true);
  });
});
