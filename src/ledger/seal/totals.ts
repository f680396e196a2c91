import type { Statement, Tx } from "../../platform";

/** Start of the hour that an instant is in, UTC. */
const hourOf = (column: string): string => `date_trunc('hour', ${column}, 'UTC')`;

/** What the postings of some entries add up to; `entries` is a relation of entry_id and business_date. */
const sumsOf = (entries: string): string => `
      select e.business_date, ${hourOf("e.happened_at")} as happened_hour, ${hourOf("e.recorded_at")} as recorded_hour,
             p.account_code, coalesce(sum(p.amount) filter (where p.side = 'debit'), 0)::bigint as debits,
             coalesce(sum(p.amount) filter (where p.side = 'credit'), 0)::bigint as credits, count(*) as postings
        from ${entries} k
        join journal_entry e on e.entry_id = k.entry_id and e.business_date = k.business_date
        join posting p on p.entry_id = e.entry_id and p.bill_key = e.bill_key and p.business_date = e.business_date
       group by 1, 2, 3, 4`;

const ADD: Statement = {
  name: "ledger_seal_add_totals",
  isWrite: true,
  text: `
    with span as (
      select t.block_no as after, least(t.block_no + $1::bigint, last.block_no) as until, last.block_no as last
        from posting_total_state t, (select coalesce(max(b.block_no), 0) as block_no from seal_block b) last
    ), sealed as materialized (
      select substr(s.item_key, 7)::uuid as entry_id, s.business_date
        from seal_item s
       where s.block_no > (select after from span) and s.block_no <= (select until from span)
         and s.item_key like 'entry:%'
    ), sums as (${sumsOf("sealed")}
    ), added as (
      insert into posting_total as t
             (business_date, happened_hour, recorded_hour, account_code, debits, credits, postings)
      select business_date, happened_hour, recorded_hour, account_code, debits, credits, postings
        from sums order by happened_hour, recorded_hour, business_date, account_code
      on conflict on constraint posting_total_pkey do update
         set debits = t.debits + excluded.debits, credits = t.credits + excluded.credits,
             postings = t.postings + excluded.postings
    ), moved as (
      update posting_total_state set block_no = span.until from span where span.until > span.after
    )
    select until < last as is_behind from span`,
};

/**
 * Every row is found by its key. Left to itself the planner may read all of posting, where nothing has been counted yet: 32,000
 * entries then took more than five seconds beside three million.
 */
const planningOf = (value: "on" | "off"): Statement => ({
  name: `ledger_seal_totals_planning_${value}`,
  isWrite: true,
  text: `
    select set_config(name, '${value}', true)
      from unnest(array['enable_hashjoin', 'enable_mergejoin', 'enable_seqscan']) as s(name)`,
});

/** Blocks whose entries are added in one statement. */
const BLOCKS_AT_ONCE = 16;

/** Adds what is sealed and not in the totals yet, block by block. Under the sealer's lock. @returns whether there is more */
export async function addTotals(tx: Tx): Promise<boolean> {
  await tx.run(planningOf("off"), []);
  const [row] = await tx.run<{ is_behind: boolean }>(ADD, [BLOCKS_AT_ONCE]);
  await tx.run(planningOf("on"), []);
  return row?.is_behind ?? false;
}

/** A total that is not what the sealed postings add up to. */
export interface WrongTotal {
  readonly row: string;
  readonly what: string;
}

const UTC = (column: string): string => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24"Z"')`;
const said = (side: string): string =>
  `coalesce(${side}.debits || ' debits and ' || ${side}.credits || ' credits in ' || ${side}.postings || ' postings', 'nothing')`;

const FIND_WRONG: Statement = {
  name: "ledger_seal_find_wrong_totals",
  text: `
    with sealed as (
      select substr(s.item_key, 7)::uuid as entry_id, s.business_date
        from seal_item s
       where s.block_no <= (select block_no from posting_total_state) and s.item_key like 'entry:%'
    ), sums as (${sumsOf("sealed")}
    )
    select 'posting_total (' || business_date || ', happened ' || ${UTC("happened_hour")} || ', recorded ' ||
           ${UTC("recorded_hour")} || ', ' || account_code || ')' as row,
           'it says ' || ${said("t")} || ', and the sealed postings are ' || ${said("s")} as what
      from sums s
      full join posting_total t using (business_date, happened_hour, recorded_hour, account_code)
     where (s.debits, s.credits, s.postings) is distinct from (t.debits, t.credits, t.postings)
     order by happened_hour, recorded_hour, business_date, account_code
     limit $1`,
};

const READ_STATE: Statement = {
  name: "ledger_seal_totals_ahead",
  text: `
    select t.block_no, coalesce((select max(b.block_no) from seal_block b), 0) as last
      from (select max(block_no) as block_no from posting_total_state) t`,
};

/** Computes every total anew from what is sealed, and names those that differ. Reads everything. */
export async function findWrongTotals(tx: Tx, limit: number): Promise<WrongTotal[]> {
  const [state] = await tx.run<{ block_no: bigint | null; last: bigint }>(READ_STATE, []);
  const row = "posting_total_state";
  if (state === undefined || state.block_no === null) return [{ row, what: "is gone" }];
  if (state.block_no > state.last) {
    return [{ row, what: `it says that block ${state.block_no} is in the totals; the chain ends at ${state.last}` }];
  }
  return tx.run<{ row: string; what: string }>(FIND_WRONG, [limit]);
}
