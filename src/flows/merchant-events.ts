import type { Bill } from "../domain";
import { billingIdOfBill, isStaticBilling, jakartaTextOf, outstandingOf } from "../domain";
import { enqueueEvents, type NewEvent } from "../callbacks";
import type { IdSource, Tx } from "../platform";
import {
  insertMerchantPayments,
  type MerchantPayment,
  reinstateMerchantPayment,
  reverseMerchantPayment,
} from "../store";
import { paymentIdOf } from "./merchant-billing";

/** A payment of a merchant's bill, or its reversal, as it has just been decided. */
export interface MerchantPosting {
  /** The bill with the payment applied, or taken back. */
  readonly bill: Bill;
  readonly merchantId: number;
  /** Entry of the payment itself. */
  readonly entryId: string;
  readonly partnerId: number;
  readonly traxId: string;
  readonly amount: bigint;
  readonly channel: string;
  readonly atMs: number;
}

/** Lists payments for their merchants and puts the events about them into the outbox, in the transaction that posts them. */
export async function tellOfPayments(tx: Tx, ids: IdSource, postings: readonly MerchantPosting[]): Promise<void> {
  if (postings.length === 0) return;
  await insertMerchantPayments(tx, postings.map(paymentOf));
  await enqueueEvents(
    tx,
    postings.map((posting) => eventOf(ids, posting, "payment.accepted")),
  );
}

/** The same for a payment that is taken back. */
export async function tellOfReversal(tx: Tx, ids: IdSource, posting: MerchantPosting): Promise<void> {
  await reverseMerchantPayment(tx, posting.bill.billKey, posting.entryId);
  await enqueueEvents(tx, [eventOf(ids, posting, "payment.reversed")]);
}

/** The same for a payment that stands again after its reversal was taken back. */
export async function tellOfReinstatement(tx: Tx, ids: IdSource, posting: MerchantPosting): Promise<void> {
  await reinstateMerchantPayment(tx, posting.bill.billKey, posting.entryId);
  await enqueueEvents(tx, [eventOf(ids, posting, "payment.accepted")]);
}

function paymentOf({ bill, entryId, partnerId, traxId, amount, atMs }: MerchantPosting): MerchantPayment {
  return { billKey: bill.billKey, entryId, partnerId, traxId, amount, paidAtMs: atMs };
}

function eventOf(ids: IdSource, posting: MerchantPosting, kind: "payment.accepted" | "payment.reversed"): NewEvent {
  const { bill, merchantId, entryId, amount, channel, atMs } = posting;
  const isPaid = outstandingOf(bill) === 0n && !isStaticBilling(bill);
  return {
    eventId: ids.entryId(atMs),
    billKey: bill.billKey,
    billVersion: bill.version,
    merchantId,
    kind,
    payload: {
      billing_id: billingIdOfBill(bill),
      transaction_number: bill.details["invoiceNumber"] ?? "",
      billing_total: String(bill.totalAmount),
      billing_status: isPaid ? "PAID" : "UNPAID",
      payment_id: paymentIdOf(entryId),
      payment_amount: String(amount),
      payment_method: `FINPAY-${channel}`,
      payment_date: jakartaTextOf(atMs),
    },
  };
}
