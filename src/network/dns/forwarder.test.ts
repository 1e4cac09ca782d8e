import { describe, expect, it } from "vitest";
import { isSampanError, unavailable } from "#errdefs";
import type { Reply } from "./exchange.ts";
import { Forwarder } from "./forwarder.ts";
import { codes, decodeMessage, type Message } from "./message.ts";
import { readQuery, reply, type Query } from "./query.ts";
import { types, type DnsRecord } from "./record.ts";
import { query } from "./testing/query.ts";

const address = (name: string, ttl: number): DnsRecord => ({
  name,
  type: types.A,
  class: 1,
  ttl,
  data: [Uint8Array.of(192, 0, 2, 1)],
});
const soa = (ttl: number, minimum: number): DnsRecord => ({
  name: "example.com",
  type: types.SOA,
  class: 1,
  ttl,
  data: ["ns.example.com", "root.example.com", Buffer.concat([Buffer.alloc(16), Buffer.of(0, 0, 0, minimum)])],
});
const says = (code: number, sections: Partial<Message> = {}): Reply => ({
  code,
  message: { id: 1, flags: 0x8180 | code, questions: [], answers: [], authorities: [], additionals: [], ...sections },
});

/** A forwarder with a clock of its own, and what its servers were asked. */
function forwarder(answer: (server: string, name: string) => Reply | "silent", limits = {}) {
  const asked: string[] = [];
  const clock = { now: 1000 };
  const instance = new Forwarder({
    ...limits,
    now: () => clock.now,
    ask: async ({ question }, { server, timeout }) => {
      const read = readQuery(Uint8Array.of(0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...question));
      const name = read !== undefined && "query" in read ? read.query.name : "";
      asked.push(`${server} ${name}`);
      const given = answer(server, name);
      if (given !== "silent") return given;
      clock.now += timeout;
      throw unavailable("Cannot ask: silent");
    },
  });
  const get = async (asks: Query, servers: readonly string[] = ["a"]): Promise<Message> => {
    const found = instance.cached(asks, servers.join(" ")) ?? (await instance.fetch(asks, servers, "client"));
    const age = Math.floor((clock.now - found.madeAt) / 1000);
    return decodeMessage(reply(asks, found.body, { stream: true, age }));
  };
  return { instance, asked, clock, get };
}

describe("Forwarder", () => {
  it("gives an answer again while it holds, with what is left of its time and the letters of the question", async () => {
    const { asked, clock, get } = forwarder(() =>
      says(codes.noError, { answers: [address("wWw.eXample.cOm", 60)], authorities: [soa(90, 9)] }),
    );
    await get(query("www.example.com"));
    clock.now += 20_500;
    const again = await get(query("WWW.example.com"));
    expect([again.questions[0]?.name, again.answers, again.authorities[0]?.ttl]).toEqual([
      "WWW.example.com",
      [address("WWW.example.com", 40)],
      70,
    ]);
    expect(asked).toEqual(["a www.example.com"]);
    clock.now += 39_500;
    await get(query("www.example.com"));
    expect(asked).toHaveLength(2);
  });

  it("remembers what is not there for as long as its zone says, and failures for a moment", async () => {
    const { asked, clock, get } = forwarder((_, name) => {
      if (name.startsWith("none")) return says(codes.noSuchName, { authorities: [soa(300, 30)] });
      if (name.startsWith("empty")) return says(codes.noError, { authorities: [soa(20, 200)] });
      return says(name.startsWith("odd") ? codes.noSuchName : codes.serverFailure);
    });
    const names = ["none.example.com", "empty.example.com", "odd.example.com", "bad.example.com"];
    const rounds: string[][] = [];
    for (const at of [0, 1000, 3000, 21_000, 31_000]) {
      clock.now = 1000 + at;
      asked.length = 0;
      for (const name of names) await get(query(name));
      rounds.push([...asked].map((text) => text.slice(2).replace(".example.com", "")));
    }
    expect(rounds).toEqual([
      ["none", "empty", "odd", "bad", "bad"],
      [],
      ["odd", "bad", "bad"],
      ["empty", "odd", "bad", "bad"],
      ["none", "odd", "bad", "bad"],
    ]);
  });

  it("asks the next server when one is silent or fails, and the silent one last from then on", async () => {
    const { asked, clock, get } = forwarder((server, name) =>
      server === "a"
        ? "silent"
        : server === "b"
          ? says(codes.refused)
          : says(codes.noError, { answers: [address(name, 0)] }),
    );
    const servers = ["a", "b", "c"];
    await get(query("one.example.com"), servers);
    await get(query("two.example.com"), servers);
    clock.now += 30_000;
    await get(query("three.example.com"), servers);
    expect(asked).toEqual([
      ...["a", "b", "c"].map((server) => `${server} one.example.com`),
      ...["b", "c"].map((server) => `${server} two.example.com`),
      ...["a", "b", "c"].map((server) => `${server} three.example.com`),
    ]);
  });

  it("says so when nobody answers, and gives the failure when all fail", async () => {
    const silent = forwarder(() => "silent");
    await expect(silent.get(query("www.example.com"), ["a", "b"])).rejects.toSatisfy((error) =>
      isSampanError(error, "unavailable"),
    );
    expect(silent.asked).toEqual(["a", "b", "a", "b"].map((server) => `${server} www.example.com`));
    const failing = forwarder(() => says(codes.serverFailure));
    expect((await failing.get(query("www.example.com"))).flags & 15).toBe(codes.serverFailure);
  });

  it("asks once for all that wait, and lets no more wait than it may", async () => {
    const { instance, asked } = forwarder(() => says(codes.noError, { answers: [address("x", 0)] }), {
      pending: 3,
      pendingOfOne: 2,
    });
    const fetch = async (name: string, client: string): Promise<string> =>
      instance.fetch(query(name), ["a"], client).then(
        () => "answered",
        (error: unknown) => (isSampanError(error) ? error.code : "?"),
      );
    expect(
      await Promise.all([
        fetch("1.example.com", "one"),
        fetch("1.example.com", "two"),
        fetch("2.example.com", "one"),
        fetch("3.example.com", "one"),
        fetch("3.example.com", "two"),
        fetch("4.example.com", "three"),
        fetch("1.example.com", "three"),
      ]),
    ).toEqual(["answered", "answered", "answered", "resource-exhausted", "answered", "resource-exhausted", "answered"]);
    expect(asked).toEqual(["1", "2", "3"].map((n) => `a ${n}.example.com`));
    expect(await fetch("4.example.com", "one")).toBe("answered");
  });

  it("keeps its cache within its bounds, and answers of one kind apart from others", async () => {
    const { asked, get } = forwarder((_, name) => says(codes.noError, { answers: [address(name, 600)] }), {
      cacheSize: 10_000,
    });
    for (let n = 0; n < 100; n += 1) await get(query(`${n}.example.com`));
    expect(asked).toHaveLength(100);
    await get(query("99.example.com"));
    expect(asked).toHaveLength(100);
    await get(query("0.example.com"));
    expect(asked).toHaveLength(101);
    await get(query("99.example.com", { dnssec: true }));
    await get(query("99.example.com", { type: types.AAAA }));
    await get(query("99.example.com"), ["b"]);
    expect(asked).toHaveLength(104);
  });
});
