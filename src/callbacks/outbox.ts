import type { Statement, Tx } from "../platform";

/** What merchants are told of their bills, and what is mailed to their customers. */
const KINDS = {
  callback: ["payment.accepted", "payment.reversed", "bill.cancelled"],
  email: ["email.bill", "email.receipt"],
} as const;

/** Ways out of the outbox. Each has claims of its own, so that none waits for another. */
export type Lane = keyof typeof KINDS;

/** What happened to a merchant's bill, or what is to be mailed about it. */
export type EventKind = (typeof KINDS)[Lane][number];

/** An event to be delivered. */
export interface NewEvent {
  readonly eventId: string;
  readonly billKey: string;
  /** Version that the bill has with it: events of one bill are delivered in this order. */
  readonly billVersion: number;
  readonly merchantId: number;
  readonly kind: EventKind;
  /** What is told; the signatures are made when it is sent. */
  readonly payload: Readonly<Record<string, unknown>>;
}

const ENQUEUE: Statement = {
  name: "callbacks_enqueue",
  isWrite: true,
  text: `
    insert into outbox (event_id, bill_key, bill_version, merchant_id, kind, payload)
    select * from unnest($1::uuid[], $2::text[], $3::int[], $4::int[], $5::text[], $6::jsonb[])`,
};

/** Puts events into the outbox, in the transaction of what they tell. Nothing is sent from here. */
export async function enqueueEvents(tx: Tx, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  await tx.run(ENQUEUE, [
    events.map((event) => event.eventId),
    events.map((event) => event.billKey),
    events.map((event) => event.billVersion),
    events.map((event) => event.merchantId),
    events.map((event) => event.kind),
    events.map((event) => JSON.stringify(event.payload)),
  ]);
}

/** An event that is due, claimed for a while. */
export interface ClaimedEvent {
  readonly eventId: string;
  readonly billKey: string;
  readonly merchantId: number;
  readonly kind: EventKind;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly createdAtMs: number;
  /** Counts from 1, this one included. */
  readonly attempt: number;
}

/**
 * A claim is a lease: whoever takes it and dies gives it back by waiting. Where order matters, only the oldest undelivered
 * event of a bill is ever due; and of one merchant only so many at a time, so that a slow one holds up nobody else. Events are marked, never
 * passed over by number: one that commits late is found as any other.
 */
const CLAIM: Statement = {
  name: "callbacks_claim",
  isWrite: true,
  text: `
    with due as (
      select o.event_id,
             coalesce(b.in_flight, 0)
               + row_number() over (partition by o.merchant_id order by o.next_attempt_at, o.event_id) as place
        from outbox o
        left join unnest($4::int[], $7::int[]) as b(merchant_id, in_flight) on b.merchant_id = o.merchant_id
       where o.delivered_at is null and o.dead_at is null and o.next_attempt_at <= clock_timestamp()
         and (o.claimed_until is null or o.claimed_until < clock_timestamp())
         and coalesce(b.in_flight, 0) < $2 and o.kind = any($5::text[])
         and not ($6::boolean and exists (
           select from outbox earlier
            where earlier.bill_key = o.bill_key and earlier.bill_version < o.bill_version
              and earlier.kind = any($5::text[])
              and earlier.delivered_at is null and earlier.dead_at is null))
    ), chosen as (
      select o.event_id from outbox o join due d on d.event_id = o.event_id
       where d.place <= $2
         and o.delivered_at is null and (o.claimed_until is null or o.claimed_until < clock_timestamp())
       order by o.next_attempt_at
       limit $1
         for update of o skip locked
    )
    update outbox o
       set claimed_until = clock_timestamp() + make_interval(secs => $3::float8 / 1000), attempts = o.attempts + 1
      from chosen c
     where o.event_id = c.event_id
    returning o.event_id, o.bill_key, o.merchant_id, o.kind, o.payload, o.attempts,
              (extract(epoch from o.created_at) * 1000)::float8 as created_at_ms`,
};

/**
 * Claims events that are due in one lane. Callbacks of one bill are due in the order of its versions; mails are not: a
 * receipt need not wait for a mail that nobody takes.
 *
 * @param claim.perMerchant as many of one merchant at most, together with those in flight
 * @param claim.leaseMs how long the claim holds
 * @param claim.inFlight how many events of each merchant the caller is delivering already
 */
export async function claimDueEvents(
  tx: Tx,
  claim: {
    readonly lane: Lane;
    readonly limit: number;
    readonly perMerchant: number;
    readonly leaseMs: number;
    readonly inFlight: ReadonlyMap<number, number>;
  },
): Promise<ClaimedEvent[]> {
  const rows = await tx.run<{
    event_id: string;
    bill_key: string;
    merchant_id: number;
    kind: EventKind;
    payload: Record<string, unknown>;
    attempts: number;
    created_at_ms: number;
  }>(CLAIM, [
    ...[claim.limit, claim.perMerchant, claim.leaseMs, [...claim.inFlight.keys()]],
    ...[KINDS[claim.lane], claim.lane === "callback", [...claim.inFlight.values()]],
  ]);
  return rows.map((row) => ({
    eventId: row.event_id,
    billKey: row.bill_key,
    merchantId: row.merchant_id,
    kind: row.kind,
    payload: row.payload,
    createdAtMs: row.created_at_ms,
    attempt: row.attempts,
  }));
}

/** How an attempt to deliver ended. */
export interface DeliveryResult {
  readonly durationMs: number;
  readonly httpStatus: number | null;
  /** Null when it was delivered. */
  readonly fault: string | null;
  /** Trying again would change nothing: it becomes a dead letter at once. */
  readonly isFinal?: boolean;
}

const RECORD: Statement = {
  name: "callbacks_record",
  isWrite: true,
  text: `
    with kept as (
      insert into callback_attempt (event_id, attempt_no, duration_ms, http_status, fault)
      values ($1, $2, $3, $4, $5)
      on conflict do nothing
    )
    update outbox
       set claimed_until = null,
           delivered_at = case when $5::text is null then clock_timestamp() end,
           dead_at = case when $5::text is not null and $6::bigint is null then clock_timestamp() end,
           next_attempt_at = case when $6::bigint is null then next_attempt_at
                                  else clock_timestamp() + make_interval(secs => $6::float8 / 1000) end
     where event_id = $1 and delivered_at is null`,
};

/**
 * Writes down how an attempt ended.
 *
 * @param retryInMs when to try again, milliseconds from now; null: never, which makes an undelivered event a dead letter
 */
export async function recordDelivery(
  tx: Tx,
  event: { readonly eventId: string; readonly attempt: number },
  result: DeliveryResult,
  retryInMs: number | null,
): Promise<void> {
  const { durationMs, httpStatus, fault } = result;
  await tx.run(RECORD, [event.eventId, event.attempt, Math.round(durationMs), httpStatus, fault, retryInMs]);
}
