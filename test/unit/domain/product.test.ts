import { billKeyOf, isBillNumberOf, minRupiah, productRulesSchema, RUPIAH_MAX, sumRupiah } from "../../../src/domain";
import { rules } from "./samples";

const LEAST = { billNumber: { minLength: 13, maxLength: 13 }, rule: { kind: "closed" } };

describe("a bill number", () => {
  it.each<[boolean, string, Record<string, unknown>]>([
    [true, "0021008457003", {}],
    [false, "002100845700", {}],
    [false, "00210084570031", {}],
    [false, "", {}],
    [false, "002100845700 ", {}],
    [false, "002100845700x", {}],
    [false, "-021008457003", {}],
    [false, "002100845700٣", {}],
    [false, "002100845700３", {}],
    [false, "002100845700\n", {}],
    [true, "AB-12", { minLength: 3, maxLength: 5, digitsOnly: false }],
    [true, "123", { minLength: 3, maxLength: 5 }],
    [true, "12345", { minLength: 3, maxLength: 5 }],
    [false, "12", { minLength: 3, maxLength: 5 }],
    [false, "123456", { minLength: 3, maxLength: 5 }],
  ])("is taken: %p for %j", (expected, billNumber, shape) => {
    const given = rules({ billNumber: { ...LEAST.billNumber, ...shape } });
    expect(isBillNumberOf(given, billNumber)).toBe(expected);
  });

  it("makes a key together with its product, each apart from every other", () => {
    const keys = ["001001", "020013"].flatMap((product) => ["1", "11", "0001"].map((each) => billKeyOf(product, each)));
    expect(new Set(keys).size).toBe(6);
  });
});

describe("the rules of a product", () => {
  it("have defaults that show nine items, honour a quote for half an hour, and give us the fee", () => {
    expect(productRulesSchema.parse(LEAST)).toEqual({
      billNumber: { minLength: 13, maxLength: 13, digitsOnly: true },
      rule: { kind: "closed" },
      feeAmount: 0n,
      feeBelongsTo: "biller",
      accounts: { collections: "bill-collections", fee: "fee-earned" },
      itemsMax: 9,
      quoteHonouredMs: 1_800_000,
    });
  });

  it("read a fee from digits, up to what the wire holds", () => {
    expect(productRulesSchema.parse({ ...LEAST, feeAmount: "999999999999" }).feeAmount).toBe(RUPIAH_MAX);
    expect(productRulesSchema.parse({ ...LEAST, feeAmount: "000000002500" }).feeAmount).toBe(2_500n);
  });

  it.each<[string, Record<string, unknown>]>([
    ["a fee as a number", { feeAmount: 5_000 }],
    ["a fee with a sign", { feeAmount: "-1" }],
    ["a fee in hexadecimal", { feeAmount: "0x10" }],
    ["a fee of a fraction", { feeAmount: "0.5" }],
    ["a fee of thirteen digits", { feeAmount: "1000000000000" }],
    ["an empty fee", { feeAmount: "" }],
    ["a fee that is nobody's", { feeBelongsTo: "nobody" }],
    ["a rule nobody knows", { rule: { kind: "free" } }],
    ["a rule with more in it", { rule: { kind: "closed", min: "1" } }],
    ["no item to show", { itemsMax: 0 }],
    ["too many items", { itemsMax: 100 }],
    ["half an item", { itemsMax: 1.5 }],
    ["quotes for a negative time", { quoteHonouredMs: -1 }],
    ["quotes for more than a day", { quoteHonouredMs: 86_400_001 }],
    ["bill numbers of no length", { billNumber: { minLength: 0, maxLength: 13 } }],
    ["bill numbers wider than the wire", { billNumber: { minLength: 13, maxLength: 21 } }],
    ["bill numbers that can never be", { billNumber: { minLength: 13, maxLength: 12 } }],
    ["a setting nobody knows", { isOpen: true }],
  ])("with %s are refused", (_, changes) => {
    expect(productRulesSchema.safeParse({ ...LEAST, ...changes }).success).toBe(false);
  });
});

describe("rupiah", () => {
  it("add up exactly where floating point would not", () => {
    expect(sumRupiah([9_007_199_254_740_993n, 1n, -3n])).toBe(9_007_199_254_740_991n);
    expect(sumRupiah([])).toBe(0n);
    expect(sumRupiah(new Set([1n, 2n]))).toBe(3n);
  });

  it.each([
    [1n, 2n, 1n],
    [2n, 1n, 1n],
    [5n, 5n, 5n],
    [0n, RUPIAH_MAX, 0n],
  ])("of %d and %d the smaller is %d", (a, b, smaller) => {
    expect(minRupiah(a, b)).toBe(smaller);
  });

  it("on the wire have at most twelve digits", () => {
    expect(RUPIAH_MAX).toBe(10n ** 12n - 1n);
  });
});
