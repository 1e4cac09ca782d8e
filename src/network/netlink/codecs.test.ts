import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSampanError } from "#errdefs";
import type { AttributeTable } from "./attribute.ts";
import { decodeMessages, encodeMessages, type PayloadCodec } from "./message.ts";
import * as nftables from "./nftables/objects.ts";
import { linkPayload } from "./route/link.ts";
import * as route from "./route/objects.ts";
import { qdiscPayload } from "./route/qdisc.ts";
import { arbitraryPayload } from "./testing/arbitrary.ts";

const codecs: readonly (readonly [name: string, codec: PayloadCodec<object, AttributeTable>])[] = [
  ["link", linkPayload],
  ["address", route.addressPayload],
  ["route", route.routePayload],
  ["neighbour", route.neighbourPayload],
  ["rule", route.rulePayload],
  ["namespace", route.namespacePayload],
  ["qdisc", qdiscPayload],
  ["table", nftables.tablePayload],
  ["chain", nftables.chainPayload],
  ["nftables rule", nftables.rulePayload],
  ["set", nftables.setPayload],
  ["elements", nftables.elementsPayload],
];

/** Nothing but a value or the one error that malformed bytes give. */
function attempt(action: () => unknown): void {
  try {
    action();
  } catch (error) {
    if (!isSampanError(error, "data-loss")) throw error;
  }
}

describe.each(codecs)("%s payload", (_, codec) => {
  it("decode() gives back what encode() was given", () => {
    fc.assert(
      fc.property(arbitraryPayload(codec), (value) => {
        expect(codec.decode(codec.encode(value))).toEqual(value);
      }),
    );
  });

  it("decode() refuses malformed bytes by an error of its own", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => attempt(() => codec.decode(bytes))),
      { numRuns: 300 },
    );
    const damaged = fc.tuple(arbitraryPayload(codec), fc.nat(), fc.nat(255));
    fc.assert(
      fc.property(damaged, ([value, at, byte]) => {
        const bytes = codec.encode(value);
        if (bytes.length > 0) bytes[at % bytes.length] = byte;
        attempt(() => codec.decode(bytes));
        attempt(() => codec.decode(bytes.subarray(0, at % (bytes.length + 1))));
      }),
      { numRuns: 300 },
    );
  });
});

describe("decodeMessages()", () => {
  const messages = fc.array(
    fc.record({
      type: fc.nat(0xffff),
      flags: fc.nat(0xffff),
      sequence: fc.nat(0xffff_ffff),
      payload: fc.uint8Array({ maxLength: 50 }),
    }),
  );

  it("gives back what encodeMessages() was given", () => {
    fc.assert(
      fc.property(messages, (list) => {
        expect(decodeMessages(encodeMessages(list))).toEqual(list);
      }),
    );
  });

  it("refuses bytes that are no messages", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => attempt(() => decodeMessages(bytes))));
  });
});
