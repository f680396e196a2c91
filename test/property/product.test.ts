import * as fc from "fast-check";
import { type Bill, dueOf } from "../../src/domain";
import { checkProductFile, compileProduct } from "../../src/flows";
import { publishedDefinitionSchema } from "../../src/flows/product-schema";
import { ConfigFault } from "../../src/platform";
import { bill } from "../unit/domain/samples";
import widest from "../vectors/product-990999.json";

type Data = Record<string, unknown>;

/** Every path of a piece of JSON, as its steps. */
function pathsOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, each]) => pathsOf(each, [...path, name]))];
}

function damaged(whole: unknown, path: readonly string[], damage: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return damage;
  const copy = (Array.isArray(whole) ? [...(whole as unknown[])] : { ...(whole as Data) }) as Data;
  copy[step] = damaged((whole as Data)[step], rest, damage);
  return copy;
}

const odd = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(
    "amount",
    "details.x",
    "{amount}",
    "{",
    "group",
    "rupiah",
    "constructor",
    "__proto__",
    "months",
  ),
  fc.constantFrom<unknown>({ text: "x" }, { sum: ["charges"] }, { template: "{charges|int}" }, { count: "items" }),
  fc.integer({ min: -1, max: 1_000 }),
);
const PATHS = pathsOf(widest.definition);

/** The faults of a definition, or none; anything thrown but faults is a failure. */
function faultsOf(definition: unknown): readonly string[] {
  try {
    compileProduct("990999", "Test", definition);
    return [];
  } catch (fault) {
    if (fault instanceof ConfigFault) return fault.problems;
    throw fault;
  }
}

describe("any definition", () => {
  it("is taken or refused with its faults, and what is taken fits the published schema", () => {
    let taken = 0;
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...PATHS), odd), { minLength: 1, maxLength: 3 }), (damages) => {
        let definition: unknown = widest.definition;
        for (const [path, damage] of damages) {
          // A path may lead into what an earlier damage has replaced.
          if (pathsOf(definition).some((each) => each.join() === path.join()))
            definition = damaged(definition, path, damage);
        }
        const faults = faultsOf(definition);
        const isTaken = faults.length === 0;
        if (isTaken) taken += 1;
        expect(!isTaken || publishedDefinitionSchema.safeParse(definition).success).toBe(true);
        for (const fault of faults) expect(fault.length).toBeLessThan(1_000);
      }),
      { numRuns: 4_000 },
    );
    expect(taken).toBeGreaterThan(20);
  });

  it("may be any JSON at all, as may the file", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(faultsOf(value).length).toBeGreaterThan(0);
        expect(checkProductFile(value).ok).toBe(false);
        expect(checkProductFile({ ...widest, samples: value })).toMatchObject({
          ok: Array.isArray(value) && value.length === 0,
        });
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("any bill of the widest product", () => {
  const product = compileProduct("990999", "Test", widest.definition);
  const printable = fc.string({
    unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
    maxLength: 40,
  });
  const text = fc.oneof(printable, fc.string({ unit: "grapheme", maxLength: 30 }));
  const meter = fc.nat(999_999_999).map(String);
  const someBill: fc.Arbitrary<Bill> = fc
    .record({
      customerName: text,
      office: text,
      stampDuty: fc.constantFrom("", "0", "10000", "99999999999"),
      amounts: fc.array(fc.bigInt({ min: 1n, max: 99_999_999_999n }), { minLength: 1, maxLength: 12 }),
      meters: fc.array(meter, { minLength: 24, maxLength: 24 }),
      paid: fc.nat(999),
    })
    .map(({ customerName, office, stampDuty, amounts, meters, paid }) => {
      const details: Record<string, string> = { office: office.slice(0, 12), stampDuty };
      for (const [index, each] of meters.entries())
        details[`meter${index % 2 ? "Start" : "End"}${(index >> 1) + 1}`] = each;
      const whole = bill({ customerName, details, billNumber: "5310012345678" }, amounts);
      return { ...whole, paidAmount: ((whole.totalAmount - 1n) * BigInt(paid)) / 1_000n };
    });

  it("comes out of bit61 as it went in, with its sums", () => {
    fc.assert(
      fc.property(someBill, (given) => {
        const due = dueOf(given, product.rules);
        const values = product.valuesOf(given, due);
        const bit61 = product.layout.encode(values);
        expect(bit61).toHaveLength(999 - 90 * (7 - due.items.length));
        const read = product.layout.decode(bit61);
        expect(read).toMatchObject({ ok: true, hasTail: true });
        const said = (read.ok ? read.values : {}) as Record<string, unknown>;
        const charged = due.items.reduce((sum, item) => sum + item.outstanding, 0n);
        expect(said["charges"]).toBe(charged);
        expect(said["grandTotal"]).toBe(charged + BigInt(given.details["stampDuty"] || "0"));
        expect(said["unitCount"]).toBe(String(due.items.length));
        const members = said["months"] as { charge: bigint; meterEnd: string }[];
        expect(members.map(({ charge }) => charge)).toEqual(due.items.map((item) => item.outstanding));
        expect(members.map(({ meterEnd }) => Number(meterEnd))).toEqual(
          due.items.map(({ itemNo }) => Number(given.details[`meterEnd${itemNo}`])),
        );
        expect(product.paymentReply(bit61, values, false).bit61).toBe(bit61);
        expect(product.paymentReply("", values, true).bit61).toBe(bit61.slice(0, -55));
        expect(product.bit48.render(values)).toMatch(/^ID:53-10012345678;[ -~]*$/);
      }),
      { numRuns: 500 },
    );
  });
});
