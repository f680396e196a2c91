import type { Statement, Tx } from "../platform";

/**
 * What the switch can be assumed to believe follows from the answers that reached it. A key that was decided and whose
 * answer was never delivered is one that the two of us may think differently about: after a timeout a switch may repeat,
 * reverse, or take the payment for failed.
 */
const OPEN_DIVERGENCES: Statement = {
  name: "ledger_open_divergences",
  isWrite: true,
  text: `
    insert into exception (exception_id, kind, bill_key, partner_id, trax_id, amount, detail)
    select md5('divergence ' || t.partner_id || ' ' || t.trax_id)::uuid, 'divergence', t.bill_key, t.partner_id, t.trax_id,
           t.amount, 'decided as ' || t.outcome || ', but no answer was delivered'
      from trax t
     where t.family = 'payment'
       and t.recorded_at between to_timestamp($1::bigint / 1000.0) and to_timestamp($2::bigint / 1000.0)
       and not exists (
         select from attempt a
          where a.trax_id = t.trax_id and a.partner_id = t.partner_id and a.is_delivered and a.outcome = t.outcome
            and a.received_at >= t.received_at - interval '1 minute')
       and not exists (
         select from trax r where r.partner_id = t.partner_id and r.trax_id = t.trax_id and r.family in ('reversal', 'manual-reversal'))
    on conflict do nothing
    returning trax_id`,
};

const CLOSE_DIVERGENCES: Statement = {
  name: "ledger_close_divergences",
  isWrite: true,
  text: `
    update exception x
       set closed_at = clock_timestamp(),
           closed_because = case when exists (
               select from trax r where r.partner_id = x.partner_id and r.trax_id = x.trax_id
                   and r.family in ('reversal', 'manual-reversal'))
             then 'reversed' else 'a repeat was answered' end
     where x.kind = 'divergence' and x.closed_at is null
       and (exists (
              select from trax r where r.partner_id = x.partner_id and r.trax_id = x.trax_id
                   and r.family in ('reversal', 'manual-reversal'))
            or exists (
              select from attempt a join trax t on t.partner_id = x.partner_id and t.trax_id = x.trax_id and t.family = 'payment'
               where a.trax_id = x.trax_id and a.partner_id = x.partner_id and a.is_delivered and a.outcome = t.outcome
                 and a.received_at >= t.received_at - interval '1 minute'))
    returning trax_id`,
};

/**
 * Opens a divergence for every payment that was decided in a span of time and whose answer was never delivered, and closes
 * those that a repeat or a reversal has settled since.
 *
 * @param untilMs far enough in the past that attempts of living processes are written
 */
export async function trackDivergences(
  tx: Tx,
  fromMs: number,
  untilMs: number,
): Promise<{ readonly opened: readonly string[]; readonly closed: readonly string[] }> {
  const closed = await tx.run<{ trax_id: string }>(CLOSE_DIVERGENCES, []);
  const opened = await tx.run<{ trax_id: string }>(OPEN_DIVERGENCES, [Math.floor(fromMs), Math.floor(untilMs)]);
  return { opened: opened.map((row) => row.trax_id), closed: closed.map((row) => row.trax_id) };
}
