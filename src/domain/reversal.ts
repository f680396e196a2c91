import type { Bill } from "./bill";
import { ACCOUNTS, type Posting } from "./journal";
import { HARD_FIELDS, type HardField, type HardFields, type KnownTrax } from "./payment";

/** A payment as it stands in the books when its reversal arrives. */
export interface KnownPayment extends KnownTrax {
  /** `YYYY-MM-DD` of its journal entry. */
  readonly businessDate: string;
  /** False: what it made the switch owe is settled, written off or accepted elsewhere, if only in part. */
  readonly isDue?: boolean;
  /** Lines of its journal entry; empty when no money moved. */
  readonly postings: readonly Posting[];
}

/** Everything a reversal is decided on. */
export interface ReversalFacts<Known extends KnownTrax = KnownTrax> {
  /** What is stored under the reversal's own key. */
  readonly known: Known | null;
  readonly payment: KnownPayment | null;
  /** The bill that the payment was applied to; null when there is none. */
  readonly bill: Bill | null;
  /** The business date that it is now for this partner. */
  readonly businessDate: string;
}

/** What is to be done with a reversal. All but `replay` and `conflict` consume its key. */
export type ReversalDecision<Known extends KnownTrax = KnownTrax> =
  | { readonly kind: "replay"; readonly known: Known }
  | { readonly kind: "conflict"; readonly differing: readonly HardField[] }
  /** No such payment: a tombstone takes its key, so that it is declined should it still come. */
  | { readonly kind: "bury" }
  /** The payment had been declined: nothing to undo, and that is well. */
  | { readonly kind: "nothing" }
  | { readonly kind: "decline"; readonly outcome: "ALREADY_REVERSED" | "NOT_REVERSIBLE" }
  | {
      readonly kind: "reverse";
      readonly postings: readonly Posting[];
      /** The bill with its payment taken back; null when none was applied to a bill. */
      readonly bill: Bill | null;
    };

/**
 * Decides a reversal, which comes with the payment's own body and traxId. Only on the payment's own business date: later
 * its money is on its way, and giving it back is a refund that people decide on. Nor once anything of what it made the
 * switch owe is cleared otherwise.
 */
export function decideReversal<Known extends KnownTrax>(
  request: HardFields,
  facts: ReversalFacts<Known>,
): ReversalDecision<Known> {
  const { known, payment, bill } = facts;
  const original = known ?? payment;
  const differing = original === null ? [] : HARD_FIELDS.filter((field) => original[field] !== request[field]);
  if (differing.length > 0) return { kind: "conflict", differing };
  if (known !== null) return { kind: "replay", known };
  if (payment === null) return { kind: "bury" };
  if (payment.outcome !== "APPROVED") return { kind: "nothing" };
  if (payment.isReversed === true) return { kind: "decline", outcome: "ALREADY_REVERSED" };
  if (payment.businessDate !== facts.businessDate || payment.isDue === false)
    return { kind: "decline", outcome: "NOT_REVERSIBLE" };
  const applied = appliedBy(payment.postings);
  return {
    kind: "reverse",
    postings: payment.postings.map((line) => ({ ...line, side: line.side === "debit" ? "credit" : "debit" })),
    bill: bill === null || !isOfBill(payment.postings) ? null : withoutPayment(bill, applied),
  };
}

const COLLECTIONS: readonly string[] = [ACCOUNTS.billCollections, ACCOUNTS.merchantPayable];

/**
 * What of a payment was applied to its bill's items: the rest is fee, unapplied credit or suspense. Whole rupiah.
 *
 * @param on the side of the collections: `credit` in a payment's entry, `debit` in its reversal's
 */
export function appliedBy(postings: readonly Posting[], on: Posting["side"] = "credit"): bigint {
  return postings
    .filter(({ side, accountCode }) => side === on && COLLECTIONS.includes(accountCode))
    .reduce((sum, { amount }) => sum + amount, 0n);
}

/** Whether a payment was taken for its bill, if only as credit beyond what was owed: the bill remembers it as its last. */
function isOfBill(postings: readonly Posting[]): boolean {
  return postings.some(
    ({ side, accountCode }) =>
      side === "credit" && (COLLECTIONS.includes(accountCode) || accountCode === ACCOUNTS.unappliedCredit),
  );
}

function withoutPayment(bill: Bill, applied: bigint): Bill {
  return { ...bill, paidAmount: bill.paidAmount - applied, version: bill.version + 1, lastPayment: null };
}
