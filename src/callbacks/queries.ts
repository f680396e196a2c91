import type { Statement, Tx } from "../platform";
import type { Lane } from "./outbox";

/** Where an event stands. */
export type EventState = "waiting" | "delivered" | "dead";

/** An event as a listing shows it. */
export interface EventRow {
  readonly eventId: string;
  readonly serviceId: string;
  readonly billKey: string;
  readonly kind: string;
  readonly state: EventState;
  readonly attempts: number;
  readonly createdAt: Date;
  readonly nextAttemptAt: Date;
  readonly lastFault: string | null;
}

const LIST: Statement = {
  name: "callbacks_list",
  text: `
    select * from (
      select o.event_id, m.service_id, o.bill_key, o.kind, o.attempts, o.created_at, o.next_attempt_at,
             case when o.delivered_at is not null then 'delivered' when o.dead_at is not null then 'dead'
                  else 'waiting' end as state,
             (select a.fault from callback_attempt a where a.event_id = o.event_id order by a.attempt_no desc limit 1) as fault
        from outbox o join merchant m on m.merchant_id = o.merchant_id) e
     where ($1::text is null or state = $1) and ($2::text is null or service_id = $2)
       and ($4::text is null or (kind like 'email.%') = ($4 = 'email'))
     order by created_at desc, event_id desc
     limit $3`,
};

/** Events, the latest first. */
export async function listEvents(
  tx: Tx,
  filter: {
    readonly state: EventState | null;
    readonly serviceId: string | null;
    readonly lane: Lane | null;
    readonly limit: number;
  },
): Promise<EventRow[]> {
  const rows = await tx.run<{
    event_id: string;
    service_id: string;
    bill_key: string;
    kind: string;
    state: EventState;
    attempts: number;
    created_at: Date;
    next_attempt_at: Date;
    fault: string | null;
  }>(LIST, [filter.state, filter.serviceId, filter.limit, filter.lane]);
  return rows.map((row) => ({
    eventId: row.event_id,
    serviceId: row.service_id,
    billKey: row.bill_key,
    kind: row.kind,
    state: row.state,
    attempts: row.attempts,
    createdAt: row.created_at,
    nextAttemptAt: row.next_attempt_at,
    lastFault: row.fault,
  }));
}

const REPLAY: Statement = {
  name: "callbacks_replay",
  isWrite: true,
  text: `
    update outbox
       set dead_at = null, delivered_at = null, claimed_until = null, next_attempt_at = clock_timestamp()
     where event_id = any($1::uuid[]) and (dead_at is not null or delivered_at is not null or claimed_until is null)
    returning event_id`,
};

/** Sends events again, soon and under their own ids; returns those that were found. Attempts go on counting. */
export async function replayEvents(tx: Tx, eventIds: readonly string[]): Promise<string[]> {
  const rows = await tx.run<{ event_id: string }>(REPLAY, [eventIds]);
  return rows.map((row) => row.event_id);
}
