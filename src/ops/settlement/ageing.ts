import type { Session } from "../reconciliation/session";

/** Where money stands that has not reached the bank, by how many days ago it was collected or settled. Whole rupiah. */
export interface AgeingRow {
  readonly partner: string;
  readonly account: "due-from-switch" | "bank-in-transit";
  readonly total: bigint;
  readonly days0to1: bigint;
  readonly days2to3: bigint;
  readonly days4to7: bigint;
  readonly days8to30: bigint;
  readonly over30: bigint;
}

/**
 * What is unsettled on a date. *Due from switch* is the open receivables by the business date of their payments; *bank in
 * transit* counts from the date of its file, less the bank's credits, which clear the oldest first. Reads the whole journal.
 *
 * What the account *due from switch* says beside its receivables is no amount of any day: `ledger verify` names it.
 */
export function readAgeing({ run }: Session, asOfDate: string): Promise<AgeingRow[]> {
  return run<AgeingRow>(AGEING, [asOfDate]);
}

const AGEING = `
  with due as (
    select r.partner_id, r.business_date as day, sum(r.due - r.excess) as amount from receivable r group by 1, 2
  ), transit as (
    select partner_id, settlement_date as day, sum(transit_amount) as amount
      from settlement_posting where kind <> 'bank-credit' group by 1, 2
  ), cleared as (
    select partner_id, -sum(transit_amount) as amount from settlement_posting where kind = 'bank-credit' group by 1
  ), running as (
    select t.partner_id, t.day, t.amount,
           sum(t.amount) over (partition by t.partner_id order by t.day) as until_day, coalesce(c.amount, 0) as credited,
           max(t.day) over (partition by t.partner_id) as last_day
      from transit t left join cleared c on c.partner_id = t.partner_id
  ), open as (
    select partner_id, 'due-from-switch' as account, day, sum(amount) as amount from due group by partner_id, day
    union all
    select partner_id, 'bank-in-transit', day,
           case when day = last_day then until_day - credited - greatest(until_day - amount - credited, 0)
                else greatest(until_day - credited, 0) - greatest(until_day - amount - credited, 0) end
      from running
  )
  select (select p.user_name from partner p where p.partner_id = o.partner_id) as partner, o.account,
         sum(o.amount)::bigint as total,
         coalesce(sum(o.amount) filter (where $1::date - o.day <= 1), 0)::bigint as "days0to1",
         coalesce(sum(o.amount) filter (where $1::date - o.day between 2 and 3), 0)::bigint as "days2to3",
         coalesce(sum(o.amount) filter (where $1::date - o.day between 4 and 7), 0)::bigint as "days4to7",
         coalesce(sum(o.amount) filter (where $1::date - o.day between 8 and 30), 0)::bigint as "days8to30",
         coalesce(sum(o.amount) filter (where $1::date - o.day > 30), 0)::bigint as "over30"
    from open o where o.amount <> 0
   group by o.partner_id, o.account order by 1, 2 desc`;
