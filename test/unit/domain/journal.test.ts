import { ACCOUNTS, isBalanced, type Posting, postingsOfPayment } from "../../../src/domain";
import { rules } from "./samples";

const whole = (applied: bigint, feeAmount: bigint) => ({ applied, unapplied: 0n, feeAmount });
const line = (side: Posting["side"], amount: bigint): Posting => ({ accountCode: ACCOUNTS.suspense, side, amount });

describe("the entry of a payment", () => {
  it("owes us the amount and our fee, and credits collections and fee apart", () => {
    expect(postingsOfPayment(whole(30_000n, 5_000n), rules({ feeBelongsTo: "biller" }))).toEqual([
      { accountCode: "due-from-switch", side: "debit", amount: 35_000n },
      { accountCode: "bill-collections", side: "credit", amount: 30_000n },
      { accountCode: "fee-earned", side: "credit", amount: 5_000n },
    ]);
  });

  it("knows nothing of a fee that the switch keeps", () => {
    expect(postingsOfPayment(whole(30_000n, 5_000n), rules({ feeBelongsTo: "switch" }))).toEqual([
      { accountCode: "due-from-switch", side: "debit", amount: 30_000n },
      { accountCode: "bill-collections", side: "credit", amount: 30_000n },
    ]);
  });

  it("has no line for a fee of nothing", () => {
    for (const feeBelongsTo of ["biller", "switch"]) {
      const postings = postingsOfPayment(whole(1n, 0n), rules({ feeBelongsTo }));
      expect(postings.map(({ amount }) => amount)).toEqual([1n, 1n]);
    }
  });

  it.each([1n, 999_999_999_999n])("balances for an amount of %d with any fee", (amount) => {
    for (const fee of [0n, 1n, 999_999_999_999n]) {
      for (const feeBelongsTo of ["biller", "switch"]) {
        expect(isBalanced(postingsOfPayment(whole(amount, fee), rules({ feeBelongsTo })))).toBe(true);
      }
    }
  });
});

describe("an entry balances", () => {
  it.each<[boolean, string, Posting[]]>([
    [true, "when debits equal credits", [line("debit", 3n), line("credit", 1n), line("credit", 2n)]],
    [false, "never when it is empty", []],
    [false, "never with a single line", [line("debit", 1n)]],
    [false, "never when a rupiah is missing", [line("debit", 3n), line("credit", 2n)]],
    [false, "never with two debits", [line("debit", 1n), line("debit", 1n)]],
    [false, "never with a line of nothing", [line("debit", 1n), line("credit", 1n), line("credit", 0n)]],
    [false, "never when negative lines make up for it", [line("debit", -1n), line("credit", -1n)]],
    [false, "never when lines of nothing face each other", [line("debit", 0n), line("credit", 0n)]],
  ])("%p %s", (expected, _, postings) => {
    expect(isBalanced(postings)).toBe(expected);
  });
});

it("every account has a code of its own, fit for a chart", () => {
  const codes = Object.values(ACCOUNTS);
  expect(new Set(codes).size).toBe(codes.length);
  expect(codes.filter((code) => !/^[a-z]+(-[a-z]+)*$/.test(code))).toEqual([]);
  const least = ["due-from-switch", "bill-collections", "fee-earned", "fee-payable", "suspense", "unapplied-credit"];
  expect(codes).toEqual(expect.arrayContaining([...least, "bank-in-transit"]));
});
