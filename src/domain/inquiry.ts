import { type Bill, billStateAt, type OutstandingItem } from "./bill";
import { dueOf, isPayable } from "./bill-rule";
import type { Outcome } from "./outcome";
import { hasPaidState, type ProductRules } from "./product";

/** What an inquiry is answered: what is owed now, or why nothing can be shown. Amounts in whole rupiah. */
export type InquiryDecision =
  | {
      readonly kind: "show";
      readonly bill: Bill;
      readonly items: readonly OutstandingItem[];
      readonly amount: bigint;
      readonly feeAmount: bigint;
    }
  | {
      readonly kind: "decline";
      readonly outcome: Extract<
        Outcome,
        "BILL_NOT_FOUND" | "ALREADY_PAID" | "EXPIRED" | "CANCELLED" | "PRODUCT_NOT_ALLOWED"
      >;
    };

/**
 * May this bill be shown, and with what amounts? Shows at most as many items as the product's messages hold, oldest
 * first; the amount is the sum of the items shown, or what the rule shows while nothing is owed. The amount in the request
 * is ignored.
 */
export function decideInquiry(
  facts: { readonly rules: ProductRules | null; readonly isProductAllowed: boolean; readonly bill: Bill | null },
  nowMs: number,
): InquiryDecision {
  const { rules, bill } = facts;
  if (rules === null || !facts.isProductAllowed) return { kind: "decline", outcome: "PRODUCT_NOT_ALLOWED" };
  if (bill === null) return { kind: "decline", outcome: "BILL_NOT_FOUND" };
  const state = billStateAt(bill, nowMs, hasPaidState(rules.rule));
  if (state === "PAID") return { kind: "decline", outcome: "ALREADY_PAID" };
  if (state !== "UNPAID") return { kind: "decline", outcome: state };
  // A bill that was announced before any item is known owes nothing yet; the switch has no use for an amount of zero.
  if (!isPayable(bill, rules)) return { kind: "decline", outcome: "BILL_NOT_FOUND" };
  const { items, amount, feeAmount } = dueOf(bill, rules);
  return { kind: "show", bill, items, amount, feeAmount };
}
