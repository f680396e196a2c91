import type { Statement, Tx } from "../platform";

/**
 * Attempts are written behind the answer; a process that is killed takes those of its last moments with it. What was
 * decided is in the registry, so the attempt of every consumed key can be written again: one row, marked as such, under an
 * identifier that follows from the key, so that two processes doing this at once write it once. What operators posted came
 * with no message and has no attempt.
 */
const RESTORE_ATTEMPTS: Statement = {
  name: "ledger_restore_attempts",
  isWrite: true,
  text: `
    insert into attempt (attempt_id, received_at, partner_id, transaction_type, product_code, trax_id, outcome,
                         result_code, http_status, is_replay, is_delivered, duration_ms, request, note)
    select md5('attempt ' || t.partner_id || ' ' || t.family || ' ' || t.trax_id)::uuid, t.received_at, t.partner_id,
           null, t.product_code, t.trax_id, t.outcome, t.result_code, 200, false, false, 0,
           jsonb_build_object('amount', t.amount::text, 'feeAmount', t.fee_amount::text, 'channel', t.channel,
             'billNumber', left(t.bill_number, 2) || repeat('*', greatest(length(t.bill_number) - 4, 0))
                           || right(t.bill_number, 2)),
           'written again from the registry: the process ended before the attempt was kept'
      from trax t
     where t.family in ('payment', 'reversal')
       and t.recorded_at between to_timestamp($1::bigint / 1000.0) and to_timestamp($2::bigint / 1000.0)
       and not exists (
         select from attempt a
          where a.trax_id = t.trax_id and a.partner_id = t.partner_id and not a.is_replay
            and a.outcome = t.outcome
            and a.received_at between t.received_at - interval '1 minute' and t.received_at + interval '1 minute')
    on conflict do nothing
    returning 1 as restored`,
};

/**
 * Writes again the attempts of keys that were consumed in a span of time and have none; returns how many there were.
 *
 * @param untilMs far enough in the past that no living process still holds attempts from before it in memory
 */
export async function restoreLostAttempts(tx: Tx, fromMs: number, untilMs: number): Promise<number> {
  const rows = await tx.run<{ restored: number }>(RESTORE_ATTEMPTS, [Math.floor(fromMs), Math.floor(untilMs)]);
  return rows.length;
}
