import {
  ACCOUNTS,
  decideReversal,
  isBalanced,
  type KnownPayment,
  type Posting,
  type ReversalFacts,
} from "../../../src/domain";
import { bill, known, request } from "./samples";

const TODAY = "2026-11-21";
const POSTED: readonly Posting[] = [
  { accountCode: ACCOUNTS.dueFromSwitch, side: "debit", amount: 35_000n },
  { accountCode: ACCOUNTS.billCollections, side: "credit", amount: 30_000n },
  { accountCode: ACCOUNTS.feeEarned, side: "credit", amount: 5_000n },
];

function payment(changes: Partial<KnownPayment> = {}): KnownPayment {
  return { ...known(), businessDate: TODAY, postings: POSTED, ...changes };
}

function facts(changes: Partial<ReversalFacts> = {}): ReversalFacts {
  const paid = bill({ paidAmount: 30_000n, version: 4 });
  return { known: null, payment: payment(), bill: paid, businessDate: TODAY, ...changes };
}

describe("a reversal", () => {
  it("mirrors the entry of the payment and gives the bill its debt back", () => {
    const decision = decideReversal(request(), facts());
    expect(decision).toMatchObject({ kind: "reverse", bill: { paidAmount: 0n, version: 5 } });
    if (decision.kind !== "reverse") throw new Error("not reversed");
    expect(decision.postings.map(({ accountCode, side, amount }) => `${side} ${accountCode} ${amount}`)).toEqual([
      "credit due-from-switch 35000",
      "debit bill-collections 30000",
      "debit fee-earned 5000",
    ]);
    expect(isBalanced(decision.postings)).toBe(true);
  });

  it("takes from the bill only what was applied to it", () => {
    const postings: Posting[] = [
      { accountCode: ACCOUNTS.dueFromSwitch, side: "debit", amount: 30_000n },
      { accountCode: ACCOUNTS.billCollections, side: "credit", amount: 10_000n },
      { accountCode: ACCOUNTS.unappliedCredit, side: "credit", amount: 20_000n },
    ];
    const decision = decideReversal(request(), facts({ payment: payment({ postings }) }));
    expect(decision).toMatchObject({ kind: "reverse", bill: { paidAmount: 20_000n } });
  });

  it("of money in suspense touches no bill", () => {
    const postings: Posting[] = [
      { accountCode: ACCOUNTS.dueFromSwitch, side: "debit", amount: 30_000n },
      { accountCode: ACCOUNTS.suspense, side: "credit", amount: 30_000n },
    ];
    expect(decideReversal(request(), facts({ payment: payment({ postings }) }))).toMatchObject({
      kind: "reverse",
      bill: null,
    });
  });

  it.each<[string, Partial<ReversalFacts>, object]>([
    ["of a payment nobody knows is buried", { payment: null }, { kind: "bury" }],
    [
      "of a declined payment has nothing to do",
      { payment: payment({ outcome: "EXPIRED", postings: [] }) },
      { kind: "nothing" },
    ],
    [
      "of a payment that was taken back otherwise is declined",
      { payment: payment({ isReversed: true }) },
      { kind: "decline", outcome: "ALREADY_REVERSED" },
    ],
    [
      "on a later business date is declined",
      { businessDate: "2026-11-22" },
      { kind: "decline", outcome: "NOT_REVERSIBLE" },
    ],
    ["that was answered before is answered again", { known: known() }, { kind: "replay" }],
    [
      "that was answered before is answered again, even on a later date",
      { known: known(), businessDate: "2026-12-01" },
      { kind: "replay" },
    ],
    [
      "of another amount than its own first time is a conflict",
      { known: known({ amount: 1n }) },
      { kind: "conflict", differing: ["amount"] },
    ],
    [
      "of another amount and bill than the payment is a conflict",
      { payment: payment({ amount: 29_999n, billNumber: "1" }) },
      { kind: "conflict", differing: ["billNumber", "amount"] },
    ],
    [
      "of a tombstone's traxId has nothing to do",
      { payment: payment({ outcome: "REVERSED", postings: [] }) },
      { kind: "nothing" },
    ],
  ])("%s", (_name, changes, expected) => {
    expect(decideReversal(request(), facts(changes))).toMatchObject(expected);
  });
});
