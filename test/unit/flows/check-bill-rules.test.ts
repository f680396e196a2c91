import { type BillLine, checkBillLines, compileProduct, type Product } from "../../../src/flows";
import { definitionWith, productWith } from "../../support/products";

const CHOSEN = { minAmount: "50", maxAmount: "5000", shownAmount: "200" };
const OPEN = productWith({ kind: "open", ...CHOSEN });
const STATIC = productWith({ kind: "static", ...CHOSEN });
const NAMED = productWith({ kind: "minmax", minAmount: { detail: "least" }, maxAmount: { detail: "most" } });

const line = (changes: Partial<BillLine> = {}): BillLine => ({
  line: 2,
  product_code: "991000",
  bill_number: "9000000000001",
  customer_name: "SITI RAHAYU",
  fee_amount: "",
  due_at: "",
  reference: "item 1",
  amount: "100",
  details: "",
  ...changes,
});
const BARE = line({ reference: "", amount: "" });

function outcomeOf(lines: readonly BillLine[], product: Product) {
  const checked = checkBillLines(lines, product);
  return checked.ok ? checked.bill : checked.problems.map(({ line: at, problem }) => `${at}: ${problem}`);
}

describe("a bill without items", () => {
  it.each([
    ["open", OPEN],
    ["static", STATIC],
  ])("is taken where customers choose the amount: %s", (_, product) => {
    expect(outcomeOf([BARE], product)).toMatchObject({ items: [], billNumber: "9000000000001" });
  });

  it.each([
    ["closed", productWith({ kind: "closed" })],
    ["part", productWith({ kind: "part", minAmount: "1" })],
  ])("is refused where something must be owed: %s", (_, product) => {
    expect(outcomeOf([BARE], product)).toEqual([
      expect.stringContaining("2: amount must be"),
      expect.stringContaining("2: reference must be"),
    ]);
  });

  it("is told from one with an item that was left half empty", () => {
    expect(outcomeOf([line({ amount: "" })], STATIC)).toEqual([expect.stringContaining("2: amount must be")]);
    expect(outcomeOf([line({ reference: "" })], STATIC)).toEqual([expect.stringContaining("2: reference must be")]);
    expect(outcomeOf([BARE, line({ line: 3 })], STATIC)).toEqual([
      expect.stringContaining("2: amount must be"),
      expect.stringContaining("2: reference must be"),
    ]);
  });
});

describe("a due time", () => {
  it("is refused for a number that lives on, and taken for everything else", () => {
    const due = line({ due_at: "2026-12-31 23:59:59" });
    expect(outcomeOf([due], STATIC)).toEqual(["2: due_at must be empty: the number of a static bill does not expire"]);
    expect(outcomeOf([due], OPEN)).toMatchObject({ dueAtMs: expect.any(Number) });
  });
});

describe("limits that a bill names", () => {
  it.each<[string, string[]]>([
    ['{"least":"100","most":"250"}', []],
    ['{"least":"250","most":"250"}', []],
    ['{"least":"251","most":"250"}', ["2: the least amount of a payment is more than the largest"]],
    ['{"least":"100"}', ["2: details.most must be whole rupiah"]],
    ['{"least":"0","most":"1e3"}', ["2: details.least must be", "2: details.most must be"]],
    ["", ["2: details.least must be", "2: details.most must be"]],
  ])("%j", (details, faults) => {
    const checked = checkBillLines([line({ details })], NAMED);
    const found = checked.ok ? [] : checked.problems.map(({ line: at, problem }) => `${at}: ${problem}`);
    expect(found).toEqual(faults.map((fault) => expect.stringContaining(fault)));
  });
});

describe("a bill is tried in every reply that may be made of it", () => {
  const paid = (fields: readonly unknown[], values: Record<string, unknown>) => {
    const { bit61, values: given, ...rest } = definitionWith({ kind: "part", minAmount: "1" });
    const paymentReply = { name: "paid", source: "", fields };
    return compileProduct("991000", "paid", {
      ...rest,
      bit61: { inquiryReply: bit61, paymentReply },
      values: { ...given, ...values },
    });
  };

  it("the payment's own included", () => {
    const product = paid([{ kind: "text", name: "serial", width: 4 }], { serial: "details.serial" });
    expect(outcomeOf([line({ details: '{"serial":"1234"}' })], product)).toMatchObject({ items: { length: 1 } });
    expect(outcomeOf([line({ details: '{"serial":"12345"}' })], product)).toEqual([
      expect.stringMatching(/^2: it does not fit into the messages of product 991000: paid, field serial/),
    ]);
  });

  it("with the most that may be paid at once", () => {
    const product = paid([{ kind: "rupiah", name: "received", width: 3 }], { received: "amount" });
    const items = (count: number) => Array.from({ length: count }, (_, n) => line({ line: n + 2, reference: `${n}` }));
    expect(outcomeOf(items(9), product)).toMatchObject({ items: { length: 9 } });
    expect(outcomeOf(items(10), product)).toEqual([expect.stringContaining("field received")]);
  });

  it("bit48 as well, which has 999 characters at most", () => {
    const definition = { ...definitionWith({ kind: "closed" }), bit48: "{customerName}".repeat(91) };
    const product = compileProduct("991000", "long", definition);
    expect(outcomeOf([line({ customer_name: "ELEVEN LONG" })], product)).toEqual([
      expect.stringContaining("bit48 has 1001 characters, more than 999"),
    ]);
    expect(outcomeOf([line({ customer_name: "TEN LONG.." })], product)).toMatchObject({ items: { length: 1 } });
  });
});
