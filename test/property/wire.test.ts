import * as fc from "fast-check";
import {
  adira020013,
  type ColumnSpec,
  compileLayout,
  compileTemplate,
  describeBit61,
  faultsOfLayout,
  type Layout,
  type LayoutValues,
  telkom001001,
} from "../../src/wire";

const PRINTABLE = Array.from({ length: 95 }, (_, index) => String.fromCharCode(0x20 + index));
const printable = (max: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...PRINTABLE), maxLength: max });
const digits = (min: number, max: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...Array.from("0123456789")), minLength: min, maxLength: max });

/** A column and values that fit it, as they come back from reading. */
interface Sample {
  readonly spec: ColumnSpec;
  readonly value: fc.Arbitrary<string | bigint | undefined>;
}

const textSample = fc
  .record({
    width: fc.integer({ min: 1, max: 12 }),
    align: fc.constantFrom("left", "right"),
    pad: fc.constantFrom(" ", "0", "*"),
    overflow: fc.constantFrom("refuse", "cut"),
  })
  .map(({ width, align, pad, overflow }): Sample => {
    const isFree = (text: string): boolean => (align === "left" ? !text.endsWith(pad) : !text.startsWith(pad));
    return { spec: { kind: "text", name: "x", width, align, pad, overflow }, value: printable(width).filter(isFree) };
  });
const digitsSample = fc
  .integer({ min: 1, max: 9 })
  .map((width): Sample => ({ spec: { kind: "digits", name: "x", width }, value: digits(width, width) }));
const rupiahSample = fc
  .record({ width: fc.integer({ min: 1, max: 18 }), pad: fc.constantFrom(" ", "0") })
  .map(({ width, pad }): Sample => {
    const value = fc.bigInt({ min: 0n, max: 10n ** BigInt(width) - 1n });
    return { spec: { kind: "rupiah", name: "x", width, pad }, value };
  });
const fillerSample = fc
  .record({ width: fc.integer({ min: 1, max: 4 }), char: fc.constantFrom(...PRINTABLE) })
  .map(({ width, char }): Sample => ({ spec: { kind: "filler", width, char }, value: fc.constant(undefined) }));
const samples = (min: number, max: number): fc.Arbitrary<Sample[]> =>
  fc.array(fc.oneof(textSample, digitsSample, rupiahSample, fillerSample), { minLength: min, maxLength: max });

/** The same columns under names of their own, and values by these names. */
function named(stem: string, columns: readonly Sample[]): { specs: ColumnSpec[]; values: fc.Arbitrary<LayoutValues> } {
  const specs = columns.map(({ spec }, index) =>
    spec.kind === "filler" ? spec : { ...spec, name: `${stem}${index}` },
  );
  const values = fc.tuple(...columns.map((column) => column.value)).map((list) => {
    const entries = list.flatMap((value, index) => (value === undefined ? [] : [[`${stem}${index}`, value] as const]));
    return Object.fromEntries(entries);
  });
  return { specs, values };
}

interface Case {
  readonly layout: Layout;
  readonly body: LayoutValues;
  readonly tail: LayoutValues;
}

/** Any layout with a counted group in the middle, and values for it. */
const cases: fc.Arbitrary<Case> = fc
  .record({
    before: samples(0, 4),
    members: samples(1, 3),
    after: samples(0, 3),
    tail: samples(0, 2),
    order: fc.constantFrom("as-listed", "reversed"),
    size: fc.integer({ min: 0, max: 5 }),
  })
  .chain(({ before, members, after, tail, order, size }) => {
    const [head, group, end, last] = [named("b", before), named("m", members), named("a", after), named("t", tail)];
    const layout: Layout = {
      name: "random",
      source: "test",
      fields: [
        ...head.specs,
        { kind: "digits", name: "count", width: 1 },
        { kind: "group", name: "items", count: "count", min: 0, max: 5, order, fields: group.specs },
        ...end.specs,
      ],
      tail: last.specs,
    };
    const items = fc.array(group.values, { minLength: size, maxLength: size });
    return fc
      .tuple(head.values, items, end.values, last.values)
      .map(([b, list, a, tail]) => ({ layout, body: { ...b, count: String(size), items: list, ...a }, tail }));
  });

/** Text that is anything, or a record with some characters replaced, put in or taken out. */
const damaged = (record: string): fc.Arbitrary<string> =>
  fc
    .array(
      fc.tuple(
        fc.nat(record.length),
        fc.nat(2),
        fc.oneof(fc.constantFrom(" ", "0", "x"), fc.string({ unit: "binary", maxLength: 2 })),
      ),
      { minLength: 1, maxLength: 3 },
    )
    .map((edits) => edits.reduce((text, [at, skip, put]) => text.slice(0, at) + put + text.slice(at + skip), record));
const anyText = fc.string({ unit: "binary", maxLength: 300 });

describe("records of random layouts", () => {
  it("come back from the wire as they were written, with and without their tail", () => {
    fc.assert(
      fc.property(cases, ({ layout, body, tail }) => {
        const record = compileLayout(layout);
        const [full, cut] = [record.encode({ ...body, ...tail }), record.encode(body, { cut: true })];
        expect(full).toHaveLength(cut.length + record.tailWidth);
        expect(full.startsWith(cut)).toBe(true);
        const hasTail = record.tailWidth > 0;
        expect(record.decode(full)).toEqual({ ok: true, values: { ...body, ...tail }, hasTail });
        expect(record.decode(cut)).toEqual({ ok: true, values: body, hasTail: false });
        expect(describeBit61(record, full).faults).toEqual([]);
      }),
      { numRuns: 1_500 },
    );
  });

  it("are refused when they are damaged, unless they are written back byte for byte as they then are", () => {
    fc.assert(
      fc.property(
        cases.chain((one) => {
          const full = compileLayout(one.layout).encode({ ...one.body, ...one.tail });
          return fc.record({ layout: fc.constant(one.layout), text: damaged(full) });
        }),
        ({ layout, text }) => {
          const record = compileLayout(layout);
          const decoded = record.decode(text);
          expect(decoded.ok ? record.encode(decoded.values, { cut: !decoded.hasTail }) : text).toBe(text);
          const { rows, faults } = describeBit61(record, text);
          expect(faults.length === 0).toBe(decoded.ok);
          expect(rows.map((row) => row.raw).join("")).toBe(text);
        },
      ),
      { numRuns: 1_500 },
    );
  });
});

describe("published layouts", () => {
  const bill = { nomorReferensi: "304A", nilaiTagihan: 10_000n };
  const telkom = compileLayout(telkom001001.bit61);
  const adira = compileLayout(adira020013.bit61);
  const telkomText = telkom.encode({
    customerId: "1",
    kodeDivre: "2",
    kodeDatel: "3",
    jumlahBill: "2",
    items: [bill, bill],
    customerName: "SITI",
    npwp: "",
  });
  const blanks = Object.fromEntries(adira.scalarNames.map((name) => [name, adira.rupiahFields.has(name) ? 0n : ""]));
  const adiraText = adira.encode(blanks);

  it.each([
    ["Telkom", telkom, telkomText],
    ["Adira", adira, adiraText],
  ])("of %s read text either not at all or so that it is written back byte for byte", (_, record, good) => {
    expect(record.decode(good).ok).toBe(true);
    fc.assert(
      fc.property(fc.oneof(damaged(good), anyText), (text) => {
        const decoded = record.decode(text);
        expect(decoded.ok ? record.encode(decoded.values, { cut: !decoded.hasTail }) : text).toBe(text);
        expect(describeBit61(record, text).faults.length === 0).toBe(decoded.ok);
      }),
      { numRuns: 3_000 },
    );
  });
});

/** "compiled", or the name of what was thrown. */
function outcomeOf(compile: () => unknown): string {
  try {
    compile();
    return "compiled";
  } catch (error) {
    return error instanceof Error ? error.name : "no error";
  }
}

describe("layouts and templates that are anything", () => {
  const fieldLike = fc.record(
    {
      kind: fc.constantFrom("text", "digits", "rupiah", "filler", "group", "x"),
      name: fc.constantFrom("a", "b", "n", "__proto__", "1"),
      width: fc.constantFrom(0, 1, 18, 999, "1"),
      pad: fc.constantFrom(" ", "0", ""),
      count: fc.constantFrom("a", "n"),
      max: fc.constantFrom(1, 9, 99),
      order: fc.constantFrom("as-listed", "reversed"),
      fields: fc.constantFrom([], [null], [{ kind: "text", name: "a", width: 1 }]),
    },
    { requiredKeys: ["kind"] },
  );
  const layoutLike = fc.record(
    {
      name: fc.constant("x"),
      source: fc.constant("x"),
      fields: fc.oneof(fc.array(fc.oneof(fieldLike, fc.anything()), { maxLength: 4 }), fc.anything()),
      tail: fc.oneof(fc.array(fieldLike, { maxLength: 2 }), fc.anything()),
      width: fc.anything(),
    },
    { requiredKeys: ["name", "source"] },
  );

  it("are compiled, or refused with a list of faults", () => {
    fc.assert(
      fc.property(
        fc.oneof(layoutLike, fc.anything({ withSparseArray: true, withNullPrototype: true })),
        (candidate) => {
          const faults = faultsOfLayout(candidate);
          expect(outcomeOf(() => compileLayout(candidate as Layout))).toBe(
            faults.length === 0 ? "compiled" : "LayoutFault",
          );
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it("show text without braces as it is, and otherwise throw nothing but a LayoutFault", () => {
    const pieces = fc.constantFrom("{", "}", "a", "|", ":", "int", "slice", "1", "é", "{a}", "{a|int}");
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (list) => {
        const template = list.join("");
        const escaped = template.replaceAll(/[{}]/g, "$&$&");
        expect(compileTemplate(escaped, []).render({})).toBe(template);
        expect(["compiled", "LayoutFault"]).toContain(outcomeOf(() => compileTemplate(template, ["a"])));
      }),
    );
  });
});
