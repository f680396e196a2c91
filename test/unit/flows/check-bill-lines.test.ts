import { type BillLine, checkBillLines, compileProduct, PRODUCTS, type Product } from "../../../src/flows";

function product(productCode: string): Product {
  const shipped = PRODUCTS.find((each) => each.productCode === productCode);
  if (shipped === undefined) throw new Error(`no product ${productCode}`);
  return compileProduct(productCode, shipped.name, shipped.definition);
}

const TELKOM = product("001001");
const ADIRA = product("020013");
const DETAILS = '{"kodeDivre":"02","kodeDatel":"0001","npwp":"8825220158"}';

function line(changes: Partial<BillLine> = {}): BillLine {
  return {
    line: 2,
    product_code: "001001",
    bill_number: "0021008457003",
    customer_name: "BUDI SANTOSO",
    fee_amount: "",
    due_at: "",
    reference: "304A",
    amount: "10000",
    details: DETAILS,
    ...changes,
  };
}

const further = (number: number, changes: Partial<BillLine> = {}): BillLine =>
  line({ line: number, reference: `R${number}`, customer_name: "", details: "", ...changes });

/** Lines with a fault, and what is said; or the bill. */
function outcomeOf(lines: readonly BillLine[], given = TELKOM) {
  const checked = checkBillLines(lines, given);
  return checked.ok ? checked.bill : checked.problems.map(({ line: at, problem }) => `${at}: ${problem}`);
}

const faultsOf = (lines: readonly BillLine[], given = TELKOM): string[] => {
  const outcome = outcomeOf(lines, given);
  return Array.isArray(outcome) ? outcome : [];
};

describe("the lines of a bill", () => {
  it("make a bill with its items in the file's order", () => {
    const lines = [
      line({ fee_amount: "2500", due_at: "2026-05-20 23:59:59" }),
      further(3),
      further(4, { amount: "1" }),
    ];
    expect(outcomeOf(lines)).toEqual({
      billKey: "001001:0021008457003",
      productCode: "001001",
      billNumber: "0021008457003",
      feeAmount: 2_500n,
      customerName: "BUDI SANTOSO",
      details: { kodeDivre: "02", kodeDatel: "0001", npwp: "8825220158" },
      dueAtMs: Date.UTC(2026, 4, 20, 16, 59, 59),
      items: [
        { reference: "304A", amount: 10_000n },
        { reference: "R3", amount: 10_000n },
        { reference: "R4", amount: 1n },
      ],
    });
  });

  it("take the product's fee and no due time when they name none", () => {
    expect(outcomeOf([line()])).toMatchObject({ feeAmount: 5_000n, dueAtMs: null });
    expect(outcomeOf([line({ fee_amount: "0" })])).toMatchObject({ feeAmount: 0n });
  });

  it("may repeat what describes the bill, or leave it empty, but not change it", () => {
    expect(faultsOf([line(), line({ line: 3, reference: "305A" })])).toEqual([]);
    const other = further(3, { customer_name: "SITI", fee_amount: "1", due_at: "2026-01-01 00:00:00", details: "{}" });
    expect(faultsOf([line(), other, further(4)])).toEqual([
      "3: customer_name, fee_amount, due_at, details differ from line 2 of the same bill",
    ]);
  });

  it("have all their faults named at once, each with its line", () => {
    const faults = faultsOf([line({ bill_number: "x", due_at: "soon" }), further(3, { amount: "-1" })]);
    expect(faults.map((fault) => fault.slice(0, 8))).toEqual(["2: bill_", "2: due_a", "3: amoun"]);
  });

  it("are nothing when there are none", () => {
    expect(checkBillLines([], TELKOM)).toEqual({ ok: false, problems: [] });
  });
});

describe("a hostile value is refused", () => {
  it.each<[string, Partial<BillLine>, string]>([
    ["a bill number too short", { bill_number: "002100845700" }, "bill_number"],
    ["a bill number too long", { bill_number: "00210084570031" }, "bill_number"],
    ["a bill number of other digits", { bill_number: "00210084５7003" }, "bill_number"],
    ["a bill number with a formula", { bill_number: "=1+1+1+1+1+1+" }, "bill_number"],
    ["a name of 101 characters", { customer_name: "N".repeat(101) }, "customer_name"],
    ["a name of a megabyte", { customer_name: "N".repeat(1_000_000) }, "customer_name"],
    ["a name with a NUL", { customer_name: "BU\0DI" }, "customer_name"],
    ["a name with a line end", { customer_name: "BUDI\nSANTOSO" }, "customer_name"],
    ["a name that was no UTF-8", { customer_name: "BUD\uFFFD" }, "customer_name"],
    ["a negative fee", { fee_amount: "-1" }, "fee_amount"],
    ["a fee with a dot", { fee_amount: "5.000" }, "fee_amount"],
    ["a fee in hexadecimal", { fee_amount: "0x10" }, "fee_amount"],
    ["a fee of blanks", { fee_amount: " " }, "fee_amount"],
    ["a fee of thirteen digits", { fee_amount: "1000000000000" }, "fee_amount"],
    ["an amount of nothing", { amount: "0" }, "amount"],
    ["an amount of many nothings", { amount: "000000000000" }, "amount"],
    ["no amount", { amount: "" }, "amount"],
    ["an amount with a currency", { amount: "Rp10000" }, "amount"],
    ["an amount with an exponent", { amount: "1e3" }, "amount"],
    ["an amount with a comma", { amount: "10000,00" }, "amount"],
    ["a huge amount", { amount: "9".repeat(1_000) }, "amount"],
    ["no reference", { reference: "" }, "reference"],
    ["a reference with blanks around it", { reference: " 304A" }, "reference"],
    ["a reference of blanks", { reference: "   " }, "reference"],
    ["a reference that is not ASCII", { reference: "304Á" }, "reference"],
    ["a reference with a control character", { reference: "30\t4A" }, "reference"],
    ["a reference of 41 characters", { reference: "R".repeat(41) }, "reference"],
    ["a reference wider than its column", { reference: "R".repeat(12) }, "does not fit"],
    ["an amount that is fine and a name of a product that is not", { details: '{"kodeDivre":"XX"}' }, "does not fit"],
  ])("%s", (_, changes, named) => {
    const faults = faultsOf([line(changes)]);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(named);
    expect(faults[0]?.length).toBeLessThan(300);
  });

  it.each([
    "2026-04-31 00:00:00",
    "2026-02-29 12:00:00",
    "2100-02-29 12:00:00",
    "2026-13-01 00:00:00",
    "2026-00-10 00:00:00",
    "2026-01-00 00:00:00",
    "2026-05-20 24:00:00",
    "2026-05-20 23:60:00",
    "2026-05-20 23:59:60",
    "2026-05-20",
    "2026-05-20 23:59",
    "2026-05-20T23:59:59",
    "2026-05-20 23:59:59Z",
    "20-05-2026 23:59:59",
    "2026-05-20 23:59:59\n",
    "12026-05-20 23:59:59",
    "never",
    " ",
  ])("%j as a due time", (text) => {
    expect(faultsOf([line({ due_at: text })])).toEqual([expect.stringContaining("due_at")]);
  });

  it.each([
    "{",
    "null",
    "[]",
    '"text"',
    "1",
    '{"npwp":1}',
    '{"npwp":null}',
    '{"npwp":{"a":"b"}}',
    '{"np wp":"1"}',
    '{"":"1"}',
    '{"__proto__":"1"}',
    `{"${"n".repeat(41)}":"1"}`,
    `{"n":"${"x".repeat(4_096)}"}`,
    // The database's JSON cannot hold these, and one such bill would stop all those that are written with it.
    String.raw`{"kodeDivre":"02","kodeDatel":"0001","npwp":"1\u00002"}`,
    String.raw`{"kodeDivre":"02","kodeDatel":"0001","npwp":"\ud800"}`,
    '{"kodeDivre":"02","kodeDatel":"0001","npwp":"\uFFFD"}',
  ])("%j as details", (text) => {
    expect(faultsOf([line({ details: text })])).toEqual([expect.stringContaining("2: details must be")]);
  });

  it("the same reference twice, naming both lines", () => {
    expect(faultsOf([line(), further(3), further(9, { reference: "304A" })])).toEqual([
      "9: reference 304A stands on line 2 already",
    ]);
  });

  it("items that add up to more than the wire can hold, not one rupiah earlier", () => {
    const most = line({ amount: "999999999998" });
    expect(outcomeOf([most, further(3, { amount: "1" })])).toMatchObject({ items: { length: 2 } });
    expect(faultsOf([most, further(3, { amount: "2" })])).toEqual(["2: the items add up to more than twelve digits"]);
  });

  it.each(["0x10", " 12 ", "-5", "1e3", "1.5", "0b11", "１２", "9999999999999"])(
    "%j as an amount among the details",
    (paymentAmount) => {
      const bill = { product_code: "020013", bill_number: "010112345678" };
      const fine = line({ ...bill, details: '{"paymentAmount":"10000"}' });
      expect(faultsOf([fine], ADIRA)).toEqual([]);
      const wrong = line({ ...bill, details: JSON.stringify({ paymentAmount }) });
      expect(faultsOf([wrong], ADIRA)).toEqual([expect.stringContaining("does not fit")]);
    },
  );

  it("an item that its message cannot show, even when it is shown only after nine others were paid", () => {
    const nine = [line(), ...Array.from({ length: 8 }, (_, index) => further(index + 3))];
    expect(outcomeOf([...nine, further(11)])).toMatchObject({ items: { length: 10 } });
    expect(faultsOf([...nine, further(11, { reference: "R".repeat(12) })])).toEqual([
      expect.stringContaining("does not fit"),
    ]);
  });
});

describe("a value at the edge is taken", () => {
  it.each<[string, Partial<BillLine>, Record<string, unknown>]>([
    ["a name of 100 characters", { customer_name: "N".repeat(100) }, { customerName: "N".repeat(100) }],
    ["a name in another script", { customer_name: "Sánchez 李" }, { customerName: "Sánchez 李" }],
    ["no name", { customer_name: "" }, { customerName: "" }],
    ["an amount with zeros in front", { amount: "000000010000" }, { items: [{ reference: "304A", amount: 10_000n }] }],
    ["the 29th of February", { due_at: "2028-02-29 00:00:00" }, { dueAtMs: Date.UTC(2028, 1, 28, 17) }],
    ["the last second of a year", { due_at: "2026-12-31 23:59:59" }, { dueAtMs: Date.UTC(2026, 11, 31, 16, 59, 59) }],
    ["a reference as wide as its column", { reference: "R 234567890" }, {}],
  ])("%s", (_, changes, bill) => {
    expect(outcomeOf([line(changes)])).toMatchObject(bill);
    expect(faultsOf([line(changes)])).toEqual([]);
  });
});
