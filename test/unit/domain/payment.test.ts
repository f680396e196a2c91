import { decidePayment, type PaymentFacts, type PaymentRequest, withPayment } from "../../../src/domain";
import { bill, facts, HOUR, known, NOW, quote, request, rules } from "./samples";

const EXPIRED = bill({ dueAtMs: NOW });
const CANCELLED = bill({ isCancelled: true });
const PAID = bill({ paidAmount: 30_000n, version: 2 });

function answerTo(changes: Partial<PaymentRequest>, given: Partial<PaymentFacts>, nowMs = NOW): string {
  const decision = decidePayment(request(changes), facts(given), nowMs);
  return decision.kind === "decline" ? decision.outcome : decision.kind;
}

describe("a payment under a new key", () => {
  it("is posted on the bill as it was read when all is right", () => {
    const open = bill({ version: 7 });
    const decision = decidePayment(request(), facts({ bill: open }), NOW);
    expect(decision).toEqual({
      kind: "post",
      bill: open,
      applied: 30_000n,
      isQuoted: true,
      isLookAlike: false,
      postings: [
        { accountCode: "due-from-switch", side: "debit", amount: 35_000n },
        { accountCode: "bill-collections", side: "credit", amount: 30_000n },
        { accountCode: "fee-earned", side: "credit", amount: 5_000n },
      ],
    });
  });

  it.each<[string, Partial<PaymentRequest>, Partial<PaymentFacts>, string]>([
    ["a product that does not exist", {}, { rules: null }, "PRODUCT_NOT_ALLOWED"],
    ["a product the partner may not sell", {}, { isProductAllowed: false }, "PRODUCT_NOT_ALLOWED"],
    ["a bill that does not exist", {}, { bill: null }, "BILL_NOT_FOUND"],
    ["a bill number that is one digit short", { billNumber: "002100845700" }, {}, "BILL_NOT_FOUND"],
    ["a bill number with a letter", { billNumber: "00210084570O3" }, {}, "BILL_NOT_FOUND"],
    ["a bill that is paid", {}, { bill: PAID }, "ALREADY_PAID"],
    ["a bill that is cancelled", {}, { bill: CANCELLED }, "CANCELLED"],
    ["a bill that has expired, unquoted", {}, { bill: EXPIRED, quotes: [] }, "EXPIRED"],
    ["one rupiah too little", { amount: 29_999n }, {}, "BAD_AMOUNT"],
    ["one rupiah too much", { amount: 30_001n }, {}, "BAD_AMOUNT"],
    ["nothing at all", { amount: 0n }, {}, "BAD_AMOUNT"],
    ["part of the bill, exactly one item", { amount: 10_000n }, {}, "BAD_AMOUNT"],
    ["amount and fee together as the amount", { amount: 35_000n, feeAmount: 0n }, {}, "BAD_AMOUNT"],
    ["one rupiah too much fee", { feeAmount: 5_001n }, {}, "BAD_FEE"],
    ["no fee", { feeAmount: 0n }, {}, "BAD_FEE"],
    ["nothing, on a bill without items", { amount: 0n }, { bill: bill({}, []), quotes: [] }, "BAD_AMOUNT"],
    ["something, on a bill without items", {}, { bill: bill({}, []), quotes: [] }, "BAD_AMOUNT"],
  ])("is declined for %s", (_, changes, given, outcome) => {
    expect(answerTo(changes, given)).toBe(outcome);
  });

  it("pays only the items that one message shows when the bill has more", () => {
    const long = bill({}, [1n, 2n, 4n, 8n]);
    expect(answerTo({ amount: 7n }, { bill: long, quotes: [] })).toBe("post");
    expect(answerTo({ amount: 15n }, { bill: long, quotes: [] })).toBe("BAD_AMOUNT");
    const rest = withPayment(long, 7n);
    expect(answerTo({ amount: 8n }, { bill: rest, quotes: [] })).toBe("post");
  });
});

describe("a message with two faults", () => {
  const wrong = { amount: 1n, feeAmount: 1n };
  it.each<[string, string, Partial<PaymentRequest>, Partial<PaymentFacts>]>([
    ["conflict", "key before product", wrong, { known: known(), rules: null }],
    ["replay", "key before the state of the bill", {}, { known: known(), bill: CANCELLED }],
    ["PRODUCT_NOT_ALLOWED", "product before bill", {}, { isProductAllowed: false, bill: null }],
    ["BILL_NOT_FOUND", "bill before its state", { billNumber: "1" }, { bill: CANCELLED }],
    ["ALREADY_PAID", "paid before cancelled", {}, { bill: { ...PAID, isCancelled: true } }],
    ["ALREADY_PAID", "paid before expired", {}, { bill: { ...PAID, dueAtMs: 0 }, quotes: [] }],
    ["CANCELLED", "cancelled before expired", {}, { bill: { ...CANCELLED, dueAtMs: 0 }, quotes: [] }],
    ["ALREADY_PAID", "state before the missing quote", {}, { bill: PAID, quotes: [], bit61Check: "enforce" }],
    ["EXPIRED", "expiry before the missing quote", {}, { bill: EXPIRED, quotes: [], bit61Check: "enforce" }],
    ["CANCELLED", "state before amount", wrong, { bill: CANCELLED }],
    ["NO_INQUIRY", "the missing quote before amount", wrong, { quotes: [], bit61Check: "enforce" }],
    ["BAD_AMOUNT", "amount before fee", wrong, {}],
  ])("is answered %s: %s", (outcome, _, changes, given) => {
    expect(answerTo(changes, given)).toBe(outcome);
  });
});

describe("quotes", () => {
  it.each<[string, number, string]>([
    ["one millisecond before the due time", NOW - 1, "post"],
    ["at the due time", NOW, "post"],
    ["in the last millisecond the quote is honoured", NOW + HOUR - 1, "post"],
    ["the moment the quote ends", NOW + HOUR, "EXPIRED"],
  ])("carry a payment past the bill's expiry: %s", (_, nowMs, outcome) => {
    expect(answerTo({}, { bill: EXPIRED }, nowMs)).toBe(outcome);
  });

  it("carry no payment whose bit61 is another's past the expiry", () => {
    expect(answerTo({ bit61: "BODY0002TAIL" }, { bill: EXPIRED })).toBe("EXPIRED");
  });

  it("never lift a cancellation", () => {
    expect(answerTo({}, { bill: CANCELLED, quotes: [quote()] })).toBe("CANCELLED");
  });

  it("decide the amount although the bill has grown since", () => {
    const grown = bill({ version: 2 }, [10_000n, 20_000n, 5_000n]);
    expect(answerTo({}, { bill: grown })).toBe("post");
    expect(answerTo({ amount: 35_000n }, { bill: grown })).toBe("BAD_AMOUNT");
    expect(answerTo({ amount: 35_000n }, { bill: grown, quotes: [] })).toBe("post");
  });

  it("decide the fee although the bill's fee has changed since", () => {
    const dearer = bill({ feeAmount: 6_000n, version: 2 });
    expect(answerTo({}, { bill: dearer })).toBe("post");
    expect(answerTo({ feeAmount: 6_000n }, { bill: dearer })).toBe("BAD_FEE");
  });

  it("never make us accept more than is still owed", () => {
    const partPaid = withPayment(bill(), 10_000n);
    expect(answerTo({}, { bill: partPaid })).toBe("BAD_AMOUNT");
    expect(answerTo({ amount: 20_000n }, { bill: partPaid, quotes: [] })).toBe("post");
  });

  it.each<[PaymentFacts["bit61Check"], string]>([
    ["ignore", "post"],
    ["warn", "post"],
    ["enforce", "NO_INQUIRY"],
  ])("are asked for as the dialect says when bit61 echoes none: %s", (bit61Check, outcome) => {
    expect(answerTo({ bit61: "" }, { bit61Check })).toBe(outcome);
    expect(answerTo({}, { bit61Check, quotes: [quote({ honouredUntilMs: NOW })] })).toBe(outcome);
    expect(answerTo({}, { bit61Check })).toBe("post");
  });

  it.each([
    ["BODY0001TAIL", true],
    ["BODY0001", true],
    ["BODY000", false],
  ])("are told apart from payments that echo none: %j", (bit61, isQuoted) => {
    expect(decidePayment(request({ bit61 }), facts(), NOW)).toMatchObject({ kind: "post", isQuoted });
  });
});

describe("a key that was seen before", () => {
  it("is answered as it was, whatever became of bill, product, quote and time", () => {
    for (const outcome of ["APPROVED", "BILL_NOT_FOUND", "EXPIRED", "BAD_AMOUNT", "ALREADY_PAID"] as const) {
      const earlier = known({ outcome });
      const worlds: Partial<PaymentFacts>[] = [
        {},
        { bill: null },
        { bill: PAID },
        { bill: CANCELLED },
        { rules: null },
        { isProductAllowed: false },
        { rules: rules({ billNumber: { minLength: 5, maxLength: 5 } }) },
        { quotes: [], bit61Check: "enforce" },
      ];
      for (const world of worlds) {
        const decision = decidePayment(request(), facts({ ...world, known: earlier }), NOW + 999 * HOUR);
        expect(decision).toEqual({ kind: "replay", known: earlier });
      }
    }
  });

  it("is acknowledged once when operators had posted it, unless money or bill differ or it was taken back", () => {
    const posted = { ...known(), isManual: true };
    expect(answerTo({}, { known: posted, bill: PAID, isFresh: false })).toBe("acknowledge");
    expect(answerTo({ amount: 29_999n }, { known: posted })).toBe("conflict");
    expect(answerTo({}, { known: { ...posted, isReversed: true } })).toBe("refuse");
  });

  it("is replayed although a soft field differs", () => {
    expect(answerTo({ bit61: "SOMETHING ELSE" }, { known: known() })).toBe("replay");
  });

  it.each<[Partial<PaymentRequest>, string[]]>([
    [{ productCode: "020013" }, ["productCode"]],
    [{ billNumber: "0021008457004" }, ["billNumber"]],
    [{ amount: 30_001n }, ["amount"]],
    [{ feeAmount: 0n }, ["feeAmount"]],
    [{ feeAmount: 1n, amount: 1n }, ["amount", "feeAmount"]],
    [
      { productCode: "2", billNumber: "2", amount: 2n, feeAmount: 2n },
      ["productCode", "billNumber", "amount", "feeAmount"],
    ],
  ])("is a conflict that names the fields that differ, and nothing of the original: %o", (changes, differing) => {
    for (const outcome of ["APPROVED", "BAD_AMOUNT"] as const) {
      const decision = decidePayment(request(changes), facts({ known: known({ outcome }) }), NOW);
      expect(decision).toEqual({ kind: "conflict", differing });
    }
  });
});
