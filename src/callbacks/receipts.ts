import type { Statement, Tx } from "../platform";

/**
 * A receipt is made of the event that tells the merchant of the payment. Its id follows from that event's, so that it is
 * queued once however often this runs, and in however many processes. Nothing of it happens where payments are posted.
 *
 * An event older than a day makes none: customers are not written to about the past when mail is switched on, or when old
 * events are replayed.
 */
const receiptsOf = (condition: string): string => `
    insert into outbox (event_id, bill_key, bill_version, merchant_id, kind, payload)
    select md5('receipt:' || o.event_id)::uuid, o.bill_key, o.bill_version, o.merchant_id, 'email.receipt',
           jsonb_build_object('payment_id', o.payload -> 'payment_id')
      from outbox o
     where o.kind = 'payment.accepted' and o.created_at > clock_timestamp() - interval '1 day'
       and ${condition}
    on conflict do nothing`;

const OF_EVENT: Statement = {
  name: "callbacks_receipt_of_event",
  isWrite: true,
  text: receiptsOf("o.event_id = $1"),
};

/** Events that no attempt was recorded of yet, because their merchant is slow or down: never tried, or being tried just now. */
const OF_WAITING: Statement = {
  name: "callbacks_receipts_of_waiting",
  isWrite: true,
  text: receiptsOf(`o.delivered_at is null and o.dead_at is null and o.attempts <= 1
       and not exists (select from outbox r where r.event_id = md5('receipt:' || o.event_id)::uuid)`),
};

/** Queues the receipt of a payment, in the transaction that records that its merchant was told, or could not be. */
export async function queueReceiptOf(tx: Tx, eventId: string): Promise<void> {
  await tx.run(OF_EVENT, [eventId]);
}

/**
 * Queues receipts of payments that their merchants wait for still. Together with `queueReceiptOf` it misses none: an event
 * is either waiting, or an attempt to deliver it was recorded.
 */
export async function queueWaitingReceipts(tx: Tx): Promise<void> {
  await tx.run(OF_WAITING, []);
}
