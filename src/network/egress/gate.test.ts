import { describe, expect, it } from "vitest";
import type { Executor } from "#keel";
import type { Operation } from "#plan";
import type { Asker } from "../dns/directory.ts";
import { bits } from "../dns/message.ts";
import { makeBody } from "../dns/query.ts";
import { types, type DnsRecord } from "../dns/record.ts";
import { query } from "../dns/testing/query.ts";
import { ipToBytes } from "../address/text.ts";
import { openElements, type OpenedAddress } from "./elements.ts";
import { nftablesOperation } from "../netlink/operation.ts";
import { EgressGate } from "./gate.ts";
import { parseEgress } from "./policy.ts";
import type { RefusedNames } from "./refused-names.ts";

const answer = (name: string, address: string, ttl = 5): DnsRecord => ({
  name,
  type: address.includes(":") ? types.AAAA : types.A,
  class: 1,
  ttl,
  data: [ipToBytes(address)],
});
const alias = (name: string, target: string, ttl = 5): DnsRecord => ({
  name,
  type: types.CNAME,
  class: 1,
  ttl,
  data: [target],
});

const network = { name: "front" } as Asker["networks"][number];
const asker = (egress: string): Asker => ({
  container: "c",
  networks: [network],
  endpoints: [
    {
      ...{ network: "front", container: "c", interface: "eth0", hostInterface: "sv0", index: 2, mac: "", ports: [] },
      ...{ addresses: ["10.61.0.2/24", "fd00:61::2/64"], isWayOut: true, aliases: [] },
      ...(egress === "all" ? {} : { egress: parseEgress([egress]) ?? { rules: [] } }),
    },
  ],
});

/** A gate with a clock of its own, what it told the kernel, and what it refused. */
function gate() {
  const executed: Operation[] = [];
  const refused: string[] = [];
  const state = { now: 0, fails: false };
  const executor = {
    execute: async (operations: readonly Operation[]) => {
      if (state.fails) throw new Error("refused");
      executed.push(...operations);
      return new Map();
    },
  } as unknown as Executor;
  const instance = new EgressGate({
    executor,
    store: { networks: () => [], endpoints: () => [] },
    refused: {
      add: (_: string, name: string, why: string) => refused.push(`${name} ${why}`),
      keep: () => undefined,
    } as unknown as RefusedNames,
    now: () => state.now,
  });
  const answers = (of: Asker, name: string, records: readonly DnsRecord[], flags = 0): Promise<boolean> | undefined => {
    const asks = query(name);
    return instance.answering(of, asks, makeBody(asks, flags, { answers: records }));
  };
  return { instance, executed, refused, state, answers };
}

const opening = (timeout: number, ...opened: readonly OpenedAddress[]): Operation =>
  nftablesOperation("open the addresses of a name", openElements(opened.map((what) => ({ what, timeout }))));
const from = "10.61.0.2";

describe("EgressGate", () => {
  it("opens the addresses of a name and of what it is an alias of, and no others of the answer", async () => {
    const { answers, executed } = gate();
    const records = [
      answer("b.example.org", "192.0.2.1", 300),
      alias("WWW.example.com", "a.example.org", 600),
      alias("a.example.org", "b.example.org", 120),
      answer("elsewhere.example.org", "192.0.2.2", 300),
      answer("b.example.org", "2001:db8::1", 30),
    ];
    expect(await answers(asker("allow=www.example.com"), "www.example.com", records)).toBe(true);
    const requests = openElements([
      { what: { from, to: "192.0.2.1" }, timeout: 130_000 },
      // For a minute at least.
      { what: { from: "fd00:61::2", to: "2001:db8::1" }, timeout: 70_000 },
    ]);
    expect(executed).toEqual([nftablesOperation("open the addresses of a name", requests)]);
  });

  it("opens the ports that a rule has, for TCP and UDP", async () => {
    const { answers, executed } = gate();
    const records = [answer("a.example.com", "192.0.2.1")];
    await answers(asker("allow=*.example.com:443,a.example.com:25/tcp"), "a.example.com", records);
    const services = [
      { protocol: 6, port: 443 },
      { protocol: 17, port: 443 },
      { protocol: 6, port: 25 },
    ];
    expect(executed).toEqual([opening(70_000, ...services.map((service) => ({ from, to: "192.0.2.1", service })))]);
  });

  it("does nothing while an address is open for long enough", async () => {
    const { answers, executed, state } = gate();
    const ask = async (): Promise<boolean | undefined> =>
      answers(asker("allow=a.b"), "a.b", [answer("a.b", "192.0.2.1")]);
    await ask();
    state.now = 34_000;
    expect(await ask()).toBeUndefined();
    state.now = 36_000;
    expect(await ask()).toBe(true);
    expect(executed).toHaveLength(2);
  });

  it("does not believe public names with private addresses, and knows containers' own", async () => {
    const { answers, executed, refused } = gate();
    const records = [answer("a.b", "10.0.0.1"), answer("a.b", "169.254.169.254"), answer("a.b", "192.0.2.1")];
    await answers(asker("allow=a.b"), "a.b", records);
    expect(refused).toEqual(["a.b private-address", "a.b private-address"]);
    await answers(
      asker("allow=db"),
      "db.front.sampan.internal",
      [answer("db.front.sampan.internal", "10.61.0.3")],
      bits.authoritative,
    );
    expect(executed).toEqual([opening(70_000, { from, to: "192.0.2.1" }), opening(70_000, { from, to: "10.61.0.3" })]);
  });

  it("leaves others alone, and says when it can't open what it should", async () => {
    const { answers, instance, executed, refused, state } = gate();
    const records = [answer("a.b", "192.0.2.1")];
    expect(answers(asker("all"), "a.b", records)).toBeUndefined();
    expect(answers(asker("allow=c.d"), "a.b", records)).toBeUndefined();
    expect([instance.mayAsk(asker("all"), "a.b"), instance.mayAsk(asker("allow=c.d"), "a.b")]).toEqual([true, false]);
    expect(refused).toEqual(["a.b not-allowed"]);
    expect(executed).toEqual([]);
    state.fails = true;
    expect(await answers(asker("allow=a.b"), "a.b", records)).toBe(false);
  });

  it("opens no more than so many addresses of one container", async () => {
    const { answers } = gate();
    const many = (from: number): DnsRecord[] =>
      Array.from({ length: 1500 }, (_, n) => answer("a.b", `192.${from}.${n >> 8}.${n & 255}`));
    const given: (boolean | undefined)[] = [];
    for (const n of [1, 2, 3]) given.push(await answers(asker("allow=*"), "a.b", many(n)));
    expect(given).toEqual([true, true, false]);
  });
});
