/** Random values of a codec's type, for tests of the codecs. */
import fc from "fast-check";
import { bytesToIp, bytesToMac } from "../../address/text.ts";
import type { AttributeTable, Codec, ListCodec, TableCodec } from "../attribute.ts";
import type { HeaderCodec, PayloadCodec } from "../message.ts";
import { elementCounter, expression, expressionTables, type Expression } from "../nftables/expression.ts";
import type { Link } from "../route/link.ts";
import { statistics } from "../route/statistics.ts";
import * as values from "../values.ts";

const unsigned = (bits: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: 2 ** bits - 1 });
const signed = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const big = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const bytes = fc.uint8Array({ maxLength: 40 });
const name = fc.stringMatching(/^[A-Za-z0-9_.-]{1,15}$/);
const size = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });

const scalars: ReadonlyMap<Codec<unknown>, fc.Arbitrary<unknown>> = new Map<Codec<unknown>, fc.Arbitrary<unknown>>([
  [values.u8, unsigned(8)],
  [values.u16, unsigned(16)],
  [values.be16, unsigned(16)],
  [values.u32, unsigned(32)],
  [values.be32, unsigned(32)],
  [values.i32, signed],
  [values.beI32, signed],
  [values.u64, big],
  [values.be64, big],
  [values.bool8, fc.boolean()],
  [values.flag, fc.constant(true)],
  [values.text, name],
  [values.raw, bytes],
  [values.ip, fc.oneof(size(4), size(16)).map((b) => bytesToIp(b))],
  [values.mac, size(6).map(bytesToMac)],
  [statistics, fc.array(big, { minLength: 8, maxLength: 8 }).map(statisticsOf)],
  [elementCounter, fc.record({ bytes: big, packets: big }, { requiredKeys: [] })],
  [expression, fc.constantFrom(...Object.keys(expressionTables)).chain(expressionOf)],
]);

function statisticsOf(numbers: readonly bigint[]): unknown {
  const bytes = new Uint8Array(64);
  const view = new DataView(bytes.buffer);
  for (const [index, number] of numbers.entries()) view.setBigUint64(index * 8, number, true);
  return statistics.read(bytes);
}

function expressionOf(of: string): fc.Arbitrary<Expression> {
  const table = expressionTables[of]?.table ?? {};
  return arbitraryTable(table).map((value) => ({ ...value, name: of }) as Expression);
}

function arbitrary(codec: Codec<unknown>): fc.Arbitrary<unknown> {
  const scalar = scalars.get(codec);
  if (scalar !== undefined) return scalar;
  if ("table" in codec) return arbitraryTable((codec as TableCodec<AttributeTable>).table);
  if ("item" in codec) return fc.array(arbitrary((codec as ListCodec<unknown>).item), { maxLength: 3 });
  return arbitraryInfo;
}

function arbitraryTable(table: AttributeTable): fc.Arbitrary<object> {
  const all = Object.entries(table).map(([key, [, codec]]) => [key, arbitrary(codec)] as const);
  return fc.record(Object.fromEntries(all), { requiredKeys: [] });
}

const fieldBits = { u8: 8, u16: 16, be16: 16, u32: 32 } as const;

function arbitraryHeader(head: HeaderCodec<unknown>): fc.Arbitrary<object> {
  const named = head.fields.flatMap(([field, kind]) => {
    if (kind === "pad8" || kind === "pad16") return [];
    return [[field, kind === "i32" ? signed : unsigned(fieldBits[kind])] as const];
  });
  return fc.record(Object.fromEntries(named));
}

/** Of IFLA_LINKINFO, whose form depends on the kind. */
const peer: fc.Arbitrary<Link> = fc.record({
  family: unsigned(8),
  linkType: unsigned(16),
  index: signed,
  flags: unsigned(32),
  change: unsigned(32),
  name,
  mtu: unsigned(32),
});
const port = fc.record({ hairpin: fc.boolean(), isolated: fc.boolean(), cost: unsigned(32) }, { requiredKeys: [] });
const arbitraryInfo: fc.Arbitrary<unknown> = fc
  .tuple(
    fc.oneof(
      fc.record(
        { kind: fc.constant("bridge"), stpState: unsigned(32), vlanFiltering: fc.boolean(), priority: unsigned(16) },
        { requiredKeys: ["kind"] },
      ),
      fc.record({ kind: fc.constant("veth"), peer }, { requiredKeys: ["kind"] }),
      fc.record({ kind: fc.constant("vlan"), id: unsigned(12), protocol: unsigned(16) }),
      fc.record({ kind: fc.constant("macvlan"), mode: unsigned(32) }),
      fc.record({ kind: fc.constant("ipvlan"), mode: unsigned(16), flags: unsigned(16) }),
      fc.record({ kind: fc.constant("dummy") }),
      fc.record(
        { kind: fc.constant("other"), name: fc.constant("wireguard"), data: bytes },
        { requiredKeys: ["kind", "name"] },
      ),
    ),
    fc.option(port, { nil: undefined }),
  )
  .map(([info, of]) => ({ ...info, ...(of === undefined ? {} : { port: of }) }));

/** A whole payload: every number of its structure, and any of its attributes. */
export function arbitraryPayload<H, T extends AttributeTable>(
  codec: PayloadCodec<H, T>,
): fc.Arbitrary<ReturnType<PayloadCodec<H, T>["decode"]>> {
  return fc
    .tuple(arbitraryHeader(codec.head), arbitraryTable(codec.body.table))
    .map(([head, body]) => ({ ...head, ...body }) as ReturnType<PayloadCodec<H, T>["decode"]>);
}
