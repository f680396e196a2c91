import { type Bill, billStateAt, type OutstandingItem, outstandingItemsOf } from "./bill";
import type { Outcome } from "./outcome";
import type { ProductRules } from "./product";
import { sumRupiah } from "./rupiah";

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
 * first; the amount is the sum of the items shown. The amount in the request is ignored.
 */
export function decideInquiry(
  facts: { readonly rules: ProductRules | null; readonly isProductAllowed: boolean; readonly bill: Bill | null },
  nowMs: number,
): InquiryDecision {
  const { rules, bill } = facts;
  if (rules === null || !facts.isProductAllowed) return { kind: "decline", outcome: "PRODUCT_NOT_ALLOWED" };
  if (bill === null) return { kind: "decline", outcome: "BILL_NOT_FOUND" };
  const state = billStateAt(bill, nowMs);
  if (state === "PAID") return { kind: "decline", outcome: "ALREADY_PAID" };
  if (state !== "UNPAID") return { kind: "decline", outcome: state };
  const items = outstandingItemsOf(bill).slice(0, rules.itemsMax);
  // A bill that was announced before any item is known owes nothing yet; the switch has no use for an amount of zero.
  if (items.length === 0) return { kind: "decline", outcome: "BILL_NOT_FOUND" };
  const amount = sumRupiah(items.map((item) => item.outstanding));
  return { kind: "show", bill, items, amount, feeAmount: bill.feeAmount };
}
