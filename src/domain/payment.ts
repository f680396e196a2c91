import { type Bill, billStateAt, outstandingItemsOf, outstandingOf } from "./bill";
import { type Posting, postingsOfPayment } from "./journal";
import type { Outcome } from "./outcome";
import type { Dialect } from "./partner";
import { isBillNumberOf, type ProductRules } from "./product";
import { type Quote, quoteEchoedBy } from "./quote";
import { sumRupiah } from "./rupiah";

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
}

/** Everything a payment is decided on. Gathered by the caller; the domain never asks for more. */
export interface PaymentFacts<Known extends KnownTrax = KnownTrax> {
  readonly known: Known | null;
  readonly isProductAllowed: boolean;
  readonly rules: ProductRules | null;
  readonly bill: Bill | null;
  readonly quotes: readonly Quote[];
  readonly bit61Check: Dialect["bit61Check"];
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

/** What is to be done. Only `post` moves money; `post` and `decline` consume the key. */
export type PaymentDecision<Known extends KnownTrax = KnownTrax> =
  | { readonly kind: "replay"; readonly known: Known }
  | { readonly kind: "conflict"; readonly differing: readonly HardField[] }
  | { readonly kind: "decline"; readonly outcome: PaymentDeclined }
  | {
      readonly kind: "post";
      readonly bill: Bill;
      readonly postings: readonly Posting[];
      /** False when the payment's bit61 echoes no live quote of ours. */
      readonly isQuoted: boolean;
    };

/**
 * Decides one payment. The order of the checks is fixed, so that a message with two faults always gets one answer:
 * key, product, bill, state of the bill, quote, amount, fee.
 *
 * The key goes first of all, even before the product: a repeat of what was once answered gets the same answer although
 * the partner or the bill has changed since. Declines are sticky for the same reason: by now the switch may have given
 * the money back, and a later success would take it from no one.
 */
export function decidePayment<Known extends KnownTrax>(
  request: PaymentRequest,
  facts: PaymentFacts<Known>,
  nowMs: number,
): PaymentDecision<Known> {
  const { known, rules, bill } = facts;
  if (known !== null) {
    const differing = HARD_FIELDS.filter((field) => known[field] !== request[field]);
    return differing.length === 0 ? { kind: "replay", known } : { kind: "conflict", differing };
  }
  if (rules === null || !facts.isProductAllowed) return decline("PRODUCT_NOT_ALLOWED");
  if (bill === null || !isBillNumberOf(rules, request.billNumber)) return decline("BILL_NOT_FOUND");

  const quote = quoteEchoedBy(request, facts.quotes, nowMs);
  const state = billStateAt(bill, nowMs);
  if (state === "PAID") return decline("ALREADY_PAID");
  if (state === "CANCELLED") return decline("CANCELLED");
  // A quote given before the due time is kept: the customer paid what we had offered.
  if (state === "EXPIRED" && quote === null) return decline("EXPIRED");
  if (quote === null && facts.bit61Check === "enforce") return decline("NO_INQUIRY");

  const due = quote ?? dueNow(bill, rules);
  // A quote may be older than another payment on the same bill: never accept more than is still owed.
  if (request.amount === 0n || request.amount !== due.amount || request.amount > outstandingOf(bill)) {
    return decline("BAD_AMOUNT");
  }
  if (request.feeAmount !== due.feeAmount) return decline("BAD_FEE");
  return {
    kind: "post",
    bill,
    postings: postingsOfPayment(request.amount, request.feeAmount, rules),
    isQuoted: quote !== null,
  };
}

/** What an inquiry would answer now: the sum of the items that fit into one message. */
function dueNow(bill: Bill, rules: ProductRules): { amount: bigint; feeAmount: bigint } {
  const items = outstandingItemsOf(bill).slice(0, rules.itemsMax);
  return { amount: sumRupiah(items.map((item) => item.outstanding)), feeAmount: bill.feeAmount };
}

function decline(outcome: PaymentDeclined): { kind: "decline"; outcome: PaymentDeclined } {
  return { kind: "decline", outcome };
}
