import { type Bill, billStateAt } from "./bill";
import { divide, isRightAmount } from "./bill-rule";
import { type Posting, postingsOfPayment, postingsToSuspense } from "./journal";
import type { Dialect } from "./dialect";
import type { Outcome } from "./outcome";
import { hasPaidState, isBillNumberOf, type ProductRules } from "./product";
import { type Quote, quoteEchoedBy } from "./quote";

/** The fields that make two messages under one traxId the same payment, compared as values. */
export interface HardFields {
  readonly productCode: string;
  readonly billNumber: string;
  readonly amount: bigint;
  readonly feeAmount: bigint;
}

/** The names of the hard fields, in the order in which differences are reported. */
export const HARD_FIELDS = ["productCode", "billNumber", "amount", "feeAmount"] as const;
export type HardField = (typeof HARD_FIELDS)[number];

/** An instruction of the switch: this bill has been paid. */
export interface PaymentRequest extends HardFields {
  readonly bit61: string;
}

/** Why a traxId that has been seen before is not judged again: what it was, and what was answered. */
export interface KnownTrax extends HardFields {
  readonly outcome: Outcome;
  /** The payment was accepted, and taken back since. */
  readonly isReversed?: boolean;
  /** Operators posted the payment; a message of the switch was never answered for it. */
  readonly isManual?: boolean;
}

/** Everything a payment is decided on. Gathered by the caller; the domain never asks for more. */
export interface PaymentFacts<Known extends KnownTrax = KnownTrax> {
  readonly known: Known | null;
  readonly isProductAllowed: boolean;
  readonly rules: ProductRules | null;
  readonly bill: Bill | null;
  readonly quotes: readonly Quote[];
  readonly bit61Check: Dialect["bit61Check"];
  /** False: the message is older or newer than the partner's clock window allows. */
  readonly isFresh: boolean;
  /** The partner charges first: what would be declined is posted to suspense. */
  readonly mustAccept: boolean;
}

export type PaymentDeclined = Extract<
  Outcome,
  | "PRODUCT_NOT_ALLOWED"
  | "BILL_NOT_FOUND"
  | "ALREADY_PAID"
  | "EXPIRED"
  | "CANCELLED"
  | "BAD_AMOUNT"
  | "BAD_FEE"
  | "NO_INQUIRY"
>;

/** What is to be done. `post` and `suspend` move money; they, `acknowledge` and `decline` consume the key. */
export type PaymentDecision<Known extends KnownTrax = KnownTrax> =
  | { readonly kind: "replay"; readonly known: Known }
  /** Operators posted it before: the message is approved with a reply of its own, and no money moves. */
  | { readonly kind: "acknowledge"; readonly known: Known }
  | { readonly kind: "conflict"; readonly differing: readonly HardField[] }
  /** Stale, or reversed since: nothing is stored, a repeat is judged afresh. */
  | { readonly kind: "refuse"; readonly outcome: Extract<Outcome, "BAD_AUTH" | "REVERSED"> }
  | { readonly kind: "decline"; readonly outcome: PaymentDeclined }
  | { readonly kind: "suspend"; readonly wouldBe: PaymentDeclined; readonly postings: readonly Posting[] }
  | {
      readonly kind: "post";
      readonly bill: Bill;
      /** Of the amount, what is applied to the bill's items; the rest is unapplied credit. Whole rupiah. */
      readonly applied: bigint;
      readonly postings: readonly Posting[];
      /** False when the payment's bit61 echoes no live quote of ours. */
      readonly isQuoted: boolean;
      /** Another payment of the same amount on the same open number, shortly before. Accepted, and shown to operators. */
      readonly isLookAlike: boolean;
    };

/**
 * Decides one payment. The order of the checks is fixed, so that a message with two faults always gets one answer:
 * key, clock window, product, bill, state of the bill, quote, amount, fee.
 *
 * The key goes first of all, even before the clock window and the product: a repeat of what was once answered gets the
 * same answer although it is late, or the partner or the bill has changed since. Declines are sticky for the same reason: by now the switch may have given
 * the money back, and a later success would take it from no one.
 */
export function decidePayment<Known extends KnownTrax>(
  request: PaymentRequest,
  facts: PaymentFacts<Known>,
  nowMs: number,
): PaymentDecision<Known> {
  const { known } = facts;
  if (known !== null) {
    const differing = HARD_FIELDS.filter((field) => known[field] !== request[field]);
    if (differing.length > 0) return { kind: "conflict", differing };
    // Its success was true once; to repeat it now would have the customer credited for money that was given back.
    if (known.isReversed === true) return { kind: "refuse", outcome: "REVERSED" };
    return { kind: known.isManual === true ? "acknowledge" : "replay", known };
  }
  if (!facts.isFresh) return { kind: "refuse", outcome: "BAD_AUTH" };
  const judged = judge(request, facts, nowMs);
  // An amount of nothing cannot be taken, whoever must.
  if (judged.kind === "post" || !facts.mustAccept || request.amount === 0n) return judged;
  const fee = facts.rules?.feeBelongsTo === "biller" ? request.feeAmount : 0n;
  return { kind: "suspend", wouldBe: judged.outcome, postings: postingsToSuspense(request.amount + fee) };
}

type Judged = Extract<PaymentDecision, { kind: "decline" | "post" }>;

/** Judges a payment whose key was never seen on its product, its bill and its money. */
function judge(request: PaymentRequest, facts: PaymentFacts, nowMs: number): Judged {
  const { rules, bill } = facts;
  if (rules === null || !facts.isProductAllowed) return decline("PRODUCT_NOT_ALLOWED");
  if (bill === null || !isBillNumberOf(rules, request.billNumber)) return decline("BILL_NOT_FOUND");

  const quote = quoteEchoedBy(request, facts.quotes, nowMs);
  const state = billStateAt(bill, nowMs, hasPaidState(rules.rule));
  if (state === "PAID") return decline("ALREADY_PAID");
  if (state === "CANCELLED") return decline("CANCELLED");
  // A quote given before the due time is kept: the customer paid what we had offered.
  if (state === "EXPIRED" && quote === null) return decline("EXPIRED");
  if (quote === null && facts.bit61Check === "enforce") return decline("NO_INQUIRY");

  if (!isRightAmount(request.amount, bill, rules, quote?.amount ?? null)) return decline("BAD_AMOUNT");
  if (request.feeAmount !== (quote ?? bill).feeAmount) return decline("BAD_FEE");
  const { applied, unapplied } = divide(bill, request.amount);
  return {
    kind: "post",
    bill,
    applied,
    postings: postingsOfPayment({ applied, unapplied, feeAmount: request.feeAmount }, rules),
    isQuoted: quote !== null,
    isLookAlike: looksLikeThePreviousOne(request.amount, bill, rules, nowMs),
  };
}

const LOOK_ALIKE_MS = 10 * 60_000;

/** On numbers that take any payment, an amount is no reason to think of a repeat; people may look at it, though. */
function looksLikeThePreviousOne(amount: bigint, bill: Bill, rules: ProductRules, nowMs: number): boolean {
  const { lastPayment } = bill;
  if (hasPaidState(rules.rule) || !lastPayment) return false;
  return lastPayment.amount === amount && nowMs - lastPayment.paidAtMs < LOOK_ALIKE_MS;
}

function decline(outcome: PaymentDeclined): { kind: "decline"; outcome: PaymentDeclined } {
  return { kind: "decline", outcome };
}
