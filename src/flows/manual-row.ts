import { type Bill, hasPaidState } from "../domain";
import type { StoredTrax } from "../ledger";
import { Fault } from "../platform";
import type { PaymentItem } from "./post-payments";
import { type Reply, type ReplyStamp, replyToPayment, replyToSuspense, shownBy } from "./reply";

/**
 * What stands in `reply_body` of a manual posting, where a message of the switch has its reply: nobody was answered, but the
 * switch's own message may still come, and its reply shows the bill as it was before the posting.
 *
 * @param paidAmount what had been paid of the bill before the posting, whole rupiah
 */
export function manualRow(paidAmount: bigint): string {
  return JSON.stringify({ paidBefore: paidAmount.toString() });
}

/**
 * What the switch's own message is answered about a payment that operators had posted: what the message would have been
 * answered in their place, on the bill as it was then. Where the bill or the product is gone, the message's own fields.
 */
export function replyToManual(item: PaymentItem, bill: Bill | null, known: StoredTrax, stamp: ReplyStamp): Reply {
  const { partner, product, message } = item;
  if (product === null || bill === null) return replyToSuspense(message, partner, stamp);
  const then = { ...bill, paidAmount: paidBefore(known.replyBody) };
  const shown = shownBy(then, message, product);
  // Since then the bill was imported anew with less on it: nothing is left to show.
  const isEmpty = hasPaidState(product.rules.rule) && shown.items.length === 0;
  return isEmpty
    ? replyToSuspense(message, partner, stamp)
    : replyToPayment(message, partner, product, then, shown, stamp);
}

/**
 * What had been paid of its bill before a manual posting. Whole rupiah.
 *
 * @throws Fault `manual_row`: the text is not one of `manualRow`
 */
function paidBefore(replyBody: string): bigint {
  const parsed = JSON.parse(replyBody) as { readonly paidBefore?: unknown };
  if (typeof parsed.paidBefore !== "string" || !/^[0-9]{1,15}$/.test(parsed.paidBefore)) {
    throw new Fault("manual_row", "a manual posting does not say what had been paid before it");
  }
  return BigInt(parsed.paidBefore);
}
